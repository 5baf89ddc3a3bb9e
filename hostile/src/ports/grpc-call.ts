import { connect, type ClientHttp2Session } from 'node:http2'
import { once } from 'node:events'
import { grpcMessage } from './http2-wire.ts'

/** The end of a call: its first message if there is one, and gRPC's own status. */
export interface CallEnd {
  readonly message: Buffer | undefined
  /** 0 is OK. */
  readonly status: number
}

/** Calls over HTTP/2 whose requests are whatever bytes they are given. */
export class GrpcCaller implements AsyncDisposable {
  readonly #session: ClientHttp2Session

  constructor(address: string) {
    this.#session = connect(`http://${address}`)
    this.#session.on('error', () => undefined)
  }

  /** `path`: `/package.Service/Method`. */
  async call(
    path: string,
    request: Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<CallEnd> {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'x-mq-client-id': 'hostile',
      ...metadata,
    })
    const chunks: Buffer[] = []
    let status = -1
    const note = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] !== undefined) status = Number(headers['grpc-status'])
    }
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => undefined)
    stream.end(grpcMessage(Buffer.from(request)))
    await once(stream, 'close')
    const bytes = Buffer.concat(chunks)
    return { status, message: bytes.length < 5 ? undefined : bytes.subarray(5, 5 + bytes.readUInt32BE(1)) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#session.closed) return
    const closed = once(this.#session, 'close')
    this.#session.destroy()
    await closed
  }
}
