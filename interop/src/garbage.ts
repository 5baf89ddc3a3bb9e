import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** An HTTP/2 frame header: 24 bits of length, type, flags, stream. */
function frame(
  length: number,
  type: number,
  flags: number,
  stream: number,
  payload = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(length, 0, 3)
  header.writeUInt8(type, 3)
  header.writeUInt8(flags, 4)
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}

const settings = frame(0, 4, 0, 0)

/** What nobody who speaks our protocols would send. */
export const garbage: Readonly<Record<'grpc' | 'ha' | 'http', readonly Buffer[]>> = {
  grpc: [
    randomBytes(64 * 1024),
    Buffer.concat([PREFACE, randomBytes(4096)]),
    PREFACE.subarray(0, 10),
    Buffer.concat([PREFACE, settings, frame(100, 1, 4, 1).subarray(0, 12)]),
    Buffer.concat([PREFACE, settings, frame(0xffffff, 0, 0, 1)]),
    Buffer.concat([PREFACE, settings, frame(16, 1, 4, 1, randomBytes(16))]),
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  ],
  ha: [
    randomBytes(64 * 1024),
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.alloc(8),
    Buffer.alloc(3, 0xc7),
    Buffer.alloc(128 * 1024, 0xc7),
    Buffer.from('7fffffffffffffff', 'hex'),
    Buffer.from('ffffffffffffffff', 'hex'),
    Buffer.concat([Buffer.from('c701020304050607', 'hex'), randomBytes(512)]),
  ],
  http: [
    randomBytes(16 * 1024),
    Buffer.from('POST /api/v1/topics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n{'),
    Buffer.from('POST /api/v1/topics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'),
    Buffer.from('POST /api/v1/topics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
    Buffer.from(`GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`),
    Buffer.from('GET /readyz HTTP/1.1\r\nHost:'),
  ],
}

/** Says it to the port and hangs up; resolves when the connection is over, however it ended. */
export async function sayGarbage(address: string, bytes: Buffer): Promise<void> {
  const [host, port] = address.split(':')
  const socket = connect({ host: host ?? '', port: Number(port) })
  socket.on('error', () => undefined)
  socket.resume()
  const closed = once(socket, 'close')
  socket.end(bytes)
  // A peer that only waits for the rest keeps its half open: then we go.
  const gone = once(socket, 'finish').then(() => socket.destroySoon())
  await Promise.race([closed, gone])
  socket.destroy()
  await closed
}
