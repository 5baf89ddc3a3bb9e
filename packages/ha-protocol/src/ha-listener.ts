import type { Address, Connection, Listener, Net } from '@tandemmq/base'
import { MasterConnection } from './master-connection.ts'
import type { MasterSurroundings } from './master-surroundings.ts'

/** Connections that have not proven yet who they are. The oldest makes room: a true slave needs milliseconds. */
const STRANGERS_MAX = 64

/**
 * The accept service of a master's HA port: hands every connection to a session and keeps count of strangers, so
 * that connections which say nothing cost a bounded amount.
 */
export class HaListener {
  readonly #strangers = new Set<MasterConnection>()
  readonly #connections = new Set<MasterConnection>()
  #listener: Listener | undefined

  static async open(
    net: Net,
    address: Address,
    around: Omit<MasterSurroundings, 'accepted' | 'over'>,
  ): Promise<HaListener> {
    const listener = new HaListener()
    const surroundings: MasterSurroundings = {
      ...around,
      accepted: (connection) => listener.#strangers.delete(connection),
      over: (connection) => {
        listener.#strangers.delete(connection)
        listener.#connections.delete(connection)
      },
    }
    listener.#listener = await net.listen(address, (connection) => listener.#accept(connection, surroundings))
    return listener
  }

  get address(): Address {
    return this.#listener?.address ?? { host: '', port: 0 }
  }

  /** Every connection, strangers included. */
  get connections(): ReadonlySet<MasterConnection> {
    return this.#connections
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close()
    await this.#listener?.close()
  }

  #accept(connection: Connection, around: MasterSurroundings): void {
    const [oldest] = this.#strangers
    if (oldest !== undefined && this.#strangers.size >= STRANGERS_MAX) {
      oldest.evict('too many connections that have not said who they are')
    }
    const session = new MasterConnection(connection, around)
    this.#strangers.add(session)
    this.#connections.add(session)
    session.start()
  }
}
