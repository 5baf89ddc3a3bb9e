import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * Stands between a slave and the HA port of its master, and repeats on a second connection all that the slave says: to its master the slave is there
 * twice. What the master says on the second one is thrown away.
 */
export class DoublingRelay implements AsyncDisposable {
  /** `host:port`, for the slave. */
  readonly address: string
  /** Resolves when the slave has said something on both connections. */
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

  #relay(slave: Socket, master: string, onSaid: () => void): void {
    const [host = '', port = ''] = master.split(':')
    const [first, second] = [connect(Number(port), host), connect(Number(port), host)]
    for (const socket of [slave, first, second]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#sockets.delete(socket))
    }
    slave.on('data', (chunk) => {
      for (const socket of [first, second]) if (!socket.destroyed) socket.write(chunk)
      onSaid()
    })
    first.on('data', (chunk) => slave.write(chunk))
    second.resume()
    slave.on('close', () => {
      first.destroy()
      second.destroy()
    })
    for (const socket of [first, second]) socket.on('end', () => (this.#hungUp += 1))
    first.on('end', () => slave.destroy())
  }
}
