import { closeSync, openSync, writeSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'

/**
 * The other end of a floor: floor-child.ts echo|write|acknowledge FILE. Says its port. `write` answers with a byte when all has come and is written,
 * `acknowledge` after each write with how much that makes; without a file it writes nothing.
 */
const [, , what = 'echo', file = ''] = process.argv
const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  if (what === 'echo') socket.pipe(socket)
  else if (what === 'write') writeAll(socket)
  else acknowledge(socket)
})
server.listen({ port: 0, host: '127.0.0.1' }, () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 })
})

function writeAll(socket: Socket): void {
  const target = openSync(file, 'w')
  let at = 0
  socket.on('data', (chunk: Buffer) => {
    at += writeSync(target, chunk, 0, chunk.length, at)
  })
  socket.on('end', () => {
    closeSync(target)
    socket.end('.')
  })
}

function acknowledge(socket: Socket): void {
  const target = file === '' ? undefined : openSync(file, 'w')
  let at = 0
  socket.on('data', (chunk: Buffer) => {
    if (target !== undefined) writeSync(target, chunk, 0, chunk.length, at)
    at += chunk.length
    const report = Buffer.allocUnsafe(8)
    report.writeBigInt64BE(BigInt(at))
    socket.write(report)
  })
}
