import { Pauses } from './pauses.ts'

/**
 * What became of a send. `acknowledged`: OK. `refused`: the answer says that nothing was stored. `unknown`: anything else, "stored, but" too: it
 * may be there or not.
 */
export type Fate = 'pending' | 'acknowledged' | 'refused' | 'unknown'

/** Only ends a wait that would never end. */
const MORE_WITHIN_MS = 90_000

export interface Sent {
  readonly number: number
  /** One message of a lane is sent after the answer to the one before. */
  readonly lane: number
  fate: Fate
}

/** Every message that was ever sent to a cluster, and what was answered. */
export class Sends {
  readonly #sent: Sent[] = []
  readonly #watchers = new Set<() => void>()
  readonly pauses = new Pauses()
  #acknowledged = 0

  get acknowledged(): number {
    return this.#acknowledged
  }

  get all(): readonly Sent[] {
    return this.#sent
  }

  /** `undefined`: nobody sent such a one. */
  find(number: number): Sent | undefined {
    return this.#sent[number - 1]
  }

  /** Numbers count from 1. */
  begin(lane: number): Sent {
    const sent: Sent = { number: this.#sent.length + 1, lane, fate: 'pending' }
    this.#sent.push(sent)
    return sent
  }

  settle(sent: Sent, fate: Fate): void {
    sent.fate = fate
    if (fate !== 'acknowledged') return
    this.#acknowledged += 1
    this.pauses.note()
    for (const watcher of this.#watchers) watcher()
  }

  /** Resolves when that many more are acknowledged; rejects if that does not come. */
  async more(count: number): Promise<void> {
    const goal = this.#acknowledged + count
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(late)
        this.#watchers.delete(look)
        settle()
      }
      const look = (): void => {
        if (this.#acknowledged >= goal) end(resolve)
      }
      const late = setTimeout(() => {
        end(() =>
          reject(
            new Error(`only ${count - (goal - this.#acknowledged)} of ${count} sends were acknowledged`),
          ),
        )
      }, MORE_WITHIN_MS)
      this.#watchers.add(look)
    })
  }
}
