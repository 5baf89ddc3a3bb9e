import { createConnection } from 'node:net'
import {
  silentLogger,
  type Address,
  type Connection,
  type Listener,
  type Logger,
  type Net,
} from '@tandemmq/base'
import { NodeConnection } from './node-connection.ts'
import { ReusedMemory } from './reused-memory.ts'
import { connected } from './socket-connect.ts'
import { listenForSockets, type SocketLimits } from './socket-listener.ts'

export interface NodeNetOptions {
  /** A connection whose peer leaves more than this unread is destroyed. Default 256 MiB. */
  readonly queuedBytesMax?: number
  /** What an accepted connection's `write` takes before it returns false. Default 256 KiB (64 KiB where we connected). */
  readonly highWaterBytes?: number
  /** Accepted connections of one listener at a time; more are closed at once. Default 1,000. */
  readonly connectionsMax?: number
  /** Told of connections that could not be accepted: a sparing one. Default: nobody is told. */
  readonly logger?: Logger
}

export interface NetLimits extends SocketLimits {
  readonly queuedBytesMax: number
}

export function netLimits(options: NodeNetOptions): NetLimits {
  return {
    queuedBytesMax: options.queuedBytesMax ?? 256 * 1024 * 1024,
    highWaterBytes: options.highWaterBytes ?? 256 * 1024,
    connectionsMax: options.connectionsMax ?? 1_000,
    logger: options.logger ?? silentLogger,
  }
}

/** TCP on this machine, without Nagle's delay. */
export class NodeNet implements Net {
  readonly #limits: NetLimits

  constructor(options: NodeNetOptions = {}) {
    this.#limits = netLimits(options)
  }

  listen(address: Address, accept: (connection: Connection) => void): Promise<Listener> {
    const { queuedBytesMax } = this.#limits
    return listenForSockets(address, this.#limits, (socket) =>
      accept(new NodeConnection(socket, { queuedBytesMax })),
    )
  }

  async connect({ host, port }: Address, signal?: AbortSignal): Promise<Connection> {
    const { queuedBytesMax } = this.#limits
    const memory = new ReusedMemory()
    // Paused: nothing is read before somebody takes it.
    const dial = () => createConnection({ host, port, onread: memory }).pause()
    const socket = await connected(dial, 'connect', signal)
    return new NodeConnection(socket, { queuedBytesMax, memory })
  }
}
