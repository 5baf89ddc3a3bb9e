import { createServer, type Server, type Socket } from 'node:net'
import { invariant, type Address, type Listener, type Logger } from '@tandemmq/base'

export interface SocketLimits {
  readonly highWaterBytes: number
  readonly connectionsMax: number
  readonly logger: Logger
}

/** Binds `address` and hands over every socket that is accepted. Rejects with the system's error (`EADDRINUSE`). */
export function listenForSockets(
  address: Address,
  { highWaterBytes, connectionsMax, logger }: SocketLimits,
  accept: (socket: Socket) => void,
): Promise<Listener> {
  const sockets = new Set<Socket>()
  const server = createServer({ highWaterMark: highWaterBytes }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    accept(socket)
  })
  server.maxConnections = connectionsMax
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', reject)
      const bound = boundAddress(server)
      // A failed accept (out of descriptors) concerns one connection, which its peer sees closed.
      server.on('error', (failure) => {
        const facts = { port: bound.port, connections: sockets.size, why: failure.message }
        logger.error(facts, 'a connection could not be accepted')
      })
      server.on('drop', (from) => {
        const facts = { port: bound.port, peer: from?.remoteAddress, connections: sockets.size }
        logger.warn(facts, 'a connection too many was turned away')
      })
      resolve({ address: bound, close: () => closeServer(server, sockets) })
    })
  })
}

function boundAddress(server: Server): Address {
  const bound = server.address()
  invariant(bound !== null && typeof bound === 'object', 'a TCP listener has an address and a port')
  return { host: bound.address, port: bound.port }
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
}
