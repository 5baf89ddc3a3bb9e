import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** The second connection comes when the first one is settled. */
const REPEATED_AFTER_MS = 1_500
/** Between two words that are repeated: both sides of a handshake wait for each other. */
const PACE_MS = 100

/**
 * Stands between a slave and the HA port of its master, and repeats on a second connection all that the slave has said and says: to its master the slave is
 * there twice. What the master says on the second one is thrown away.
 */
export class DoublingRelay implements AsyncDisposable {
  /** `host:port`, for the slave. */
  readonly address: string
  /** Resolves when something was said on a second connection. */
  readonly doubled: Promise<unknown>
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #hungUp = 0

  private constructor(server: Server, master: string) {
    this.#server = server
    const bound = server.address()
    this.address = `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`
    const doubled = Promise.withResolvers<undefined>()
    this.doubled = doubled.promise
    server.on('connection', (slave) => this.#relay(slave, master, () => doubled.resolve(undefined)))
  }

  /** `master`: `host:port` */
  static async start(master: string): Promise<DoublingRelay> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new DoublingRelay(server, master)
  }

  /** How often the master has closed one of the two, or both. */
  get hungUp(): number {
    return this.#hungUp
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server, 'close')
  }

  #relay(slave: Socket, master: string, onDoubled: () => void): void {
    const [host = '', port = ''] = master.split(':')
    const said: Buffer[] = []
    const first = this.#opened(connect(Number(port), host))
    this.#opened(slave).on('data', (chunk) => {
      said.push(chunk)
      first.write(chunk)
    })
    first.on('data', (chunk) => slave.write(chunk))
    first.on('end', () => (this.#hungUp += 1))
    first.on('close', () => slave.destroy())
    slave.on('close', () => first.destroy())
    const beginning = setTimeout(() => {
      const second = this.#opened(connect(Number(port), host)).resume()
      second.on('end', () => (this.#hungUp += 1))
      let repeated = 0
      const repeating = setInterval(() => {
        const words = said[repeated]
        if (words === undefined) return
        if (second.writable) second.write(words)
        repeated += 1
        onDoubled()
      }, PACE_MS)
      slave.on('close', () => {
        clearInterval(repeating)
        second.destroy()
      })
    }, REPEATED_AFTER_MS)
    slave.on('close', () => clearTimeout(beginning))
  }

  #opened(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    return socket.on('close', () => this.#sockets.delete(socket))
  }
}
