import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP port on this machine that leads to another one, until the way is cut. */
export class CuttableWay implements Disposable {
  /** `host:port` of this end. */
  readonly address: string
  readonly #server: Server
  readonly #sockets: Set<Socket>
  #isCut = false

  private constructor(address: string, server: Server, sockets: Set<Socket>) {
    this.address = address
    this.#server = server
    this.#sockets = sockets
  }

  /** `target` is `host:port`. */
  static async to(target: string): Promise<CuttableWay> {
    const [host = '', port = ''] = target.split(':')
    const sockets = new Set<Socket>()
    const server = createServer((near) => {
      if (way.#isCut) {
        near.destroy()
        return
      }
      const far = connect(Number(port), host)
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket)
        socket.on('error', () => {}) // It is told by `close` as well.
        socket.on('close', () => {
          sockets.delete(socket)
          other.destroy()
        })
      }
      near.pipe(far).pipe(near)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const bound = server.address()
    if (bound === null || typeof bound === 'string') throw new Error('a TCP port has a number')
    const way = new CuttableWay(`127.0.0.1:${bound.port}`, server, sockets)
    return way
  }

  /** Connections break, and no new one comes about. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  heal(): void {
    this.#isCut = false
  }

  [Symbol.dispose](): void {
    this.cut()
    this.#server.close()
  }
}
