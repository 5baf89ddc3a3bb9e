import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Somebody who reached the HA port and knows Apache's protocol, no more. */
export class HaStranger implements AsyncDisposable {
  readonly #socket: Socket
  readonly #chunks: Buffer[] = []
  /** Resolves when the broker has hung up. */
  readonly closed: Promise<unknown>

  private constructor(socket: Socket) {
    this.#socket = socket
    this.closed = once(socket, 'close')
    socket.on('data', (chunk) => this.#chunks.push(chunk))
    socket.on('error', () => undefined)
  }

  /** `address`: `host:port` */
  static async connect(address: string): Promise<HaStranger> {
    const [host = '', port = ''] = address.split(':')
    const socket = connect(Number(port), host)
    await once(socket, 'connect')
    return new HaStranger(socket)
  }

  /** What a slave would say: the offset that its log reaches, 8 bytes. */
  report(offset: number): void {
    const word = Buffer.alloc(8)
    word.writeBigInt64BE(BigInt(offset))
    this.#socket.write(word)
  }

  /** All that came so far. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** Resolves when the broker has hung up, or after `ms`. */
  async closedWithin(ms: number): Promise<boolean> {
    const waited = once(AbortSignal.timeout(ms), 'abort').then(() => false)
    return Promise.race([this.closed.then(() => true), waited])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    await this.closed
  }
}
