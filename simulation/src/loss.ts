import type { Broker } from '@tandemmq/broker'
import { lastEpoch, type LogRecord } from '@tandemmq/codec'
import { idOf, WrittenLog } from './written-log.ts'
import type { Contact, Entry } from './ledger.ts'

/** What the log of a master was when its end was lost, and who must go on from where. */
export interface LossParts {
  readonly who: string
  readonly broker: Broker
  /** Monotonic, ms. */
  readonly at: number
  /** Under which it answered consumers last. */
  readonly servingEpoch: number
  /** Whoever goes on holds the log at least up to here. */
  readonly atLeast: number
}

/**
 * In asynchronous mode a master is lost, or what it had not synced, and the log goes on without its end. Exactly a suffix may be missing: everything
 * from the begin of the new epoch on, and nothing below it.
 */
export class Loss {
  readonly #parts: LossParts
  readonly #log: WrittenLog
  readonly #lastEpoch: number
  /** Where each message begins that the log had; of a scheduled one that was due, the first of its records. */
  readonly #firsts = new Map<string, number>()
  #cut = Infinity

  constructor(parts: LossParts) {
    this.#parts = parts
    this.#log = new WrittenLog(parts.broker)
    this.#lastEpoch = lastEpoch(parts.broker.store.lineage)
    for (const [at, record] of this.#log.records) {
      const id = idOf(record)
      if (id !== undefined && !this.#firsts.has(id)) this.#firsts.set(id, at)
    }
  }

  /** Another epoch has begun. */
  wentOn(broker: Broker): void {
    const next = broker.store.lineage?.epochs.find(({ epoch }) => epoch > this.#lastEpoch)
    this.#cut = Math.min(next?.start ?? broker.store.end, this.#log.end)
  }

  /** From here on everything that the log had is lost. */
  get cut(): number {
    return this.#cut
  }

  /** For people. */
  get words(): string {
    const count = [...this.#firsts.values()].filter((at) => at >= this.#cut).length
    return `${count} messages are lost, from ${this.#cut} to ${this.#log.end}`
  }

  /** It was acknowledged, and nobody promised that it would be anywhere else. */
  isLost({ id }: Entry): boolean {
    return (this.#firsts.get(id) ?? -1) >= this.#cut
  }

  /** What this consumer read, or acknowledged, is not there any more. */
  hasLost({ position }: Contact, id: string): boolean {
    const record = position < this.#cut ? undefined : this.#log.records.get(position)
    return record !== undefined && idOf(record) === id
  }

  /** How what goes on differs from what may. */
  violations(now: WrittenLog, contacts: readonly Contact[]): string[] {
    const { who, atLeast, at, servingEpoch } = this.#parts
    const cut = this.#cut
    const wrong: string[] = []
    if (cut === Infinity) return [`nobody went on after the loss of ${who}`]
    if (cut < atLeast)
      wrong.push(`lost too much: the log goes on at ${cut}, and up to ${atLeast} it was held`)
    const from = Math.max(this.#log.begin, now.begin)
    if (!this.#log.between(from, cut).equals(now.between(from, cut)))
      wrong.push(`lost in the middle: below ${cut} the log is not what it was`)
    const lost = [...this.#log.records].filter(
      ([offset, record]) => offset >= cut && this.#isFirst(offset, record),
    )
    const left = new Set([...now.records.values()].map(idOf))
    for (const [offset, record] of lost) {
      const id = idOf(record)
      if (left.has(id))
        wrong.push(`neither lost nor kept: ${id} was at ${offset}, above ${cut}, and came back`)
    }
    for (const contact of contacts) {
      if (contact.at > at && contact.position >= cut && contact.epoch <= servingEpoch)
        wrong.push(
          `under an epoch of before the loss, ${contact.by} answered with what is at ${contact.position}`,
        )
    }
    return wrong
  }

  #isFirst(offset: number, record: LogRecord): boolean {
    return this.#firsts.get(idOf(record) ?? '') === offset
  }
}
