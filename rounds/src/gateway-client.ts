import { connect, type ClientHttp2Session } from 'node:http2'

const SERVICE = '/apache.rocketmq.v2.MessagingService/'
/** A gRPC message is preceded by a byte that says whether it is compressed, and its length in four. */
const PREFIX_BYTES = 5
const CONNECT_MS = 1_000
/** gRPC's own deadline comes first, this ends what is never answered. */
const GRACE_MS = 500

/**
 * A client of the client API that bears everything: it connects anew with the next call when its connection has gone. It says what was
 * answered and nothing else; it tries nothing twice, so that whoever counts knows what was asked how often.
 */
export class GatewayClient {
  readonly #address: string
  readonly #clientId: string
  #session: ClientHttp2Session | undefined

  /** `address`: `host:port` */
  constructor(address: string, clientId: string) {
    this.#address = address
    this.#clientId = clientId
  }

  /** The messages of the answer. Rejects unless the call ended well within `timeoutMs`. */
  call(method: string, request: Uint8Array, timeoutMs: number): Promise<readonly Buffer[]> {
    return new Promise((resolve, reject) => {
      const stream = this.#connected().request({
        ':method': 'POST',
        ':path': SERVICE + method,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': `${timeoutMs}m`,
        'x-mq-client-id': this.#clientId,
        'x-mq-language': 'NODE_JS',
        'x-mq-client-version': '5.0.0',
      })
      const chunks: Buffer[] = []
      let status = 'none'
      const heard = (headers: { readonly [name: string]: unknown }): void => {
        const { 'grpc-status': code, 'grpc-message': message } = headers
        if (typeof code === 'string') status = `${code} ${typeof message === 'string' ? message : ''}`
      }
      const late = setTimeout(() => stream.destroy(new Error('no answer in time')), timeoutMs + GRACE_MS)
      stream.on('response', heard)
      stream.on('trailers', heard)
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', reject)
      stream.on('close', () => {
        clearTimeout(late)
        if (status.startsWith('0 ')) resolve(messagesOf(Buffer.concat(chunks)))
        else reject(new Error(`${method} ended with gRPC status ${status}`))
      })
      stream.end(framed(request))
    })
  }

  close(): void {
    this.#session?.destroy()
  }

  #connected(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session
    const session = connect(`http://${this.#address}`)
    const late = setTimeout(() => session.destroy(new Error('no connection in time')), CONNECT_MS)
    session.on('connect', () => clearTimeout(late))
    // Each stream is told as well.
    session.on('error', () => undefined)
    session.on('close', () => clearTimeout(late))
    this.#session = session
    return session
  }
}

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(PREFIX_BYTES)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function messagesOf(bytes: Buffer): readonly Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at + PREFIX_BYTES <= bytes.length;) {
    const start = at + PREFIX_BYTES
    const end = start + bytes.readUInt32BE(at + 1)
    messages.push(bytes.subarray(start, end))
    at = end
  }
  return messages
}
