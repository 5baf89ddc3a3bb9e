import { BrokerError } from '@tandemmq/base'

/** Bytes of sends that wait for a master, all together (rule 6.1). */
const HELD_BYTES_MAX = 16 * 1024 * 1024

/** Bounds what waits in the gateway for a master to come back. */
export class HeldSends {
  #bytes = 0

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes
  }

  /** Runs `wait` while `bytes` count as held. Throws `SYSTEM_BUSY` at once if too much is held already. */
  async hold<T>(bytes: number, wait: () => Promise<T>): Promise<T> {
    if (this.#bytes + bytes > HELD_BYTES_MAX) {
      throw new BrokerError(
        'SYSTEM_BUSY',
        'no master takes messages now and too many are waiting for one, try again',
      )
    }
    this.#bytes += bytes
    try {
      return await wait()
    } finally {
      this.#bytes -= bytes
    }
  }
}
