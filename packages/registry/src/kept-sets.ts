import { messageOf, type Clock, type Logger } from '@tandemmq/base'
import { laterOf } from './appointment.ts'
import type { SetState } from './registry-state.ts'
import type { SetRecord, SetRecords } from './set-record.ts'

/** After this a record that could not be written is tried again, ms. */
const WRITE_AGAIN_MS = 5_000

/** What of each set is known after the next start: writes it down when it has changed, and again when that failed. */
export class KeptSets {
  readonly #records: SetRecords
  readonly #clock: Clock
  readonly #logger: Logger
  /** When what members have said is written again, since that failed; monotonic. */
  #writeAgainAt = Infinity

  constructor(records: SetRecords, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#records = records
    this.#clock = clock
    this.#logger = logger
  }

  /** What members have said that must be known after the next start. */
  keep(sets: Iterable<SetState>): void {
    for (const { name, logEpoch, appointment } of sets) {
      const kept = this.#records.all.find(({ set }) => set === name)
      const newest = laterOf(kept?.appointment, appointment)
      if (kept !== undefined && kept.logEpoch >= logEpoch && kept.appointment === newest) continue
      const record: SetRecord = {
        set: name,
        logEpoch: Math.max(logEpoch, kept?.logEpoch ?? 0),
        ...(newest && { appointment: newest }),
      }
      this.#write(record)
    }
    // One for all: whatever is written has what was put before.
    const [any] = this.#records.all
    if (any !== undefined && this.#clock.monotonic() >= this.#writeAgainAt) this.#write(any)
  }

  #write(record: SetRecord): void {
    this.#writeAgainAt = Infinity
    this.#records.put(record).catch((cause: unknown) => {
      this.#writeAgainAt = this.#clock.monotonic() + WRITE_AGAIN_MS
      this.#logger.error(
        { set: record.set, why: messageOf(cause) },
        'what is known of this broker set cannot be kept',
      )
    })
  }
}
