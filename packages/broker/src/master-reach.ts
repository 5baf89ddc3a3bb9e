import type { Clock } from '@tandemmq/base'
import type { MemberView } from '@tandemmq/registry'

/** A master to which no way has led for so long, although the registry hears it, is not reached (rule 4.7), ms. */
export const APART_MS = 5_000

/**
 * Whether a slave reaches its master, from what both who observe it say: the registry, where the master is heard or not, and the connection between the two.
 * They are apart once the registry has heard a writable master for {@link APART_MS}, and no connection stood meanwhile.
 */
export class MasterReach {
  readonly #clock: Clock
  #isConnected = false
  /** Monotonic, ms; never while they are connected. */
  #missedSince: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The connection stands, or does no more. */
  connected(isConnected: boolean): void {
    this.#isConnected = isConnected
    if (isConnected) this.#missedSince = undefined
  }

  /** The registry has answered: so it sees the master; `undefined`: it knows of none. */
  heard(master: Pick<MemberView, 'alive' | 'writable'> | undefined): void {
    const isMissed = master?.alive === true && master.writable && !this.#isConnected
    this.#missedSince = isMissed ? (this.#missedSince ?? this.#clock.monotonic()) : undefined
  }

  get isApart(): boolean {
    return this.#missedSince !== undefined && this.#clock.monotonic() - this.#missedSince >= APART_MS
  }
}
