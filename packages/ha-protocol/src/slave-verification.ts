import { SparingLogger } from '@tandemmq/base'
import type { Counter, Logger } from '@tandemmq/base'
import type { Control, LogRange } from '@tandemmq/codec'
import type { HaPorts } from './ha-ports.ts'
import { answerCheck } from './range-answer.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import type { SlaveHistory } from './slave-history.ts'

/** A slave's part in the comparison of its log with its master's. However often a master asks and tells, it costs little. */
export class SlaveVerification {
  readonly #log: ReplicatedLog
  readonly #history: SlaveHistory
  readonly #mismatches: Counter
  readonly #logger: Logger
  #asked: LogRange | undefined

  constructor(log: ReplicatedLog, history: SlaveHistory, mismatches: Counter, ports: HaPorts) {
    this.#log = log
    this.#history = history
    this.#mismatches = mismatches
    this.#logger = new SparingLogger(ports.logger, ports.clock)
  }

  /** A master asks for one range at a time: only the newest is answered. */
  asked(range: LogRange): void {
    this.#asked = range
  }

  /** Taken once for all that came together: then the log is read once between two turns of the event loop. */
  takeAnswer(): Control | undefined {
    const asked = this.#asked
    this.#asked = undefined
    return asked && answerCheck(this.#log, asked)
  }

  /** What we no longer have differs from nothing either. */
  equals(range: LogRange): void {
    this.#history.learnedEqual({ from: 0, to: this.#log.minOffset })
    if (this.#history.learnedEqual(range))
      this.#logger.info({ ...range }, 'our log is the same as that of the master again in this range')
  }

  differs(range: LogRange): void {
    this.#history.learnedMismatch(range)
    this.#mismatches.add()
    this.#logger.error({ ...range }, 'our log differs from that of the master in this range')
  }
}
