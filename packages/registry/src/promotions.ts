import { BrokerError, messageOf, unreachable, type Clock, type Logger } from '@tandemmq/base'
import type { Appointment } from './appointment.ts'
import { judgePromotion, type PromotionRequest, type PromotionVerdict } from './promotion.ts'
import type { Instant, SetState } from './registry-state.ts'
import type { RegistryEvent } from './registry-step.ts'
import type { SetRecords } from './set-record.ts'

/** A promotion that was made. */
export interface Promoted {
  readonly set: string
  /** Identity of the new master. It opens its epoch as soon as it has heard of it. */
  readonly master: string
  readonly epoch: number
  /** By what right, and what is missing. */
  readonly words: string
}

type AppointingVerdict = Extract<PromotionVerdict, { kind: 'appoint' }>

/** How long a promotion waits for the old master to step down and for the slave to copy. */
const PATIENCE_MS = 15_000

/** The registry, as far as a promotion has to do with it. */
export interface PromotedRegistry {
  set(name: string): SetState | undefined
  now(): Instant
  take(event: RegistryEvent): void
}

/** Promotions by hand (rule 3.5), one at a time in each set: from the question to the appointment on disk. */
export class Promotions {
  readonly #records: SetRecords
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #registry: PromotedRegistry
  /** Those under way, by set; each looks again when something has changed. */
  readonly #looks = new Map<string, () => void>()
  #lastPromotion = 0
  /** Decided, and perhaps on disk. */
  readonly #unwritten = new Map<string, AppointingVerdict>()

  constructor(
    records: SetRecords,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    registry: PromotedRegistry,
  ) {
    this.#records = records
    this.#clock = clock
    this.#logger = logger
    this.#registry = registry
  }

  /** Something has changed. */
  look(): void {
    for (const look of this.#looks.values()) look()
  }

  /**
   * Makes a slave the master of its set (rule 3.5): asks the old master to step down if it answers, waits until the slave has copied what it can,
   * writes down the new epoch, and only then tells everybody. Resolves with what was done, in words. Rejects with `SET_NOT_FOUND`; with `PROMOTION_REFUSED` and the reason when
   * that could lose an acknowledged message or make two masters; with `UNAVAILABLE` when it could not be written down: the set then takes no
   * messages before it is tried again.
   */
  async promote(request: PromotionRequest): Promise<Promoted> {
    const { set } = request
    if (this.#registry.set(set) === undefined && !this.#records.all.some((kept) => kept.set === set))
      throw new BrokerError('SET_NOT_FOUND', `there is no broker set ${set}`)
    if (this.#looks.has(set)) throw refused(`another promotion in ${set} is under way`)
    const number = Math.max(this.#lastPromotion + 1, this.#registry.now().wall)
    this.#lastPromotion = number
    this.#looks.set(set, () => undefined)
    try {
      const decided = this.#unwritten.get(set) ?? (await this.#judged(request, number))
      const { appointment, words } = decided
      // From here on it may be on disk, whatever becomes of the write: nothing else may be decided, and whoever was master takes no messages.
      this.#unwritten.set(set, decided)
      this.#registry.take({ kind: 'step-down', set, promotion: number })
      await this.#write(set, appointment)
      this.#unwritten.delete(set)
      this.#registry.take({ kind: 'appointed', set, appointment })
      this.#logger.warn({ set, ...appointment, why: words }, 'another master was appointed')
      return { set, master: appointment.identity, epoch: appointment.epoch, words }
    } finally {
      this.#looks.delete(set)
      if (!this.#unwritten.has(set)) this.#registry.take({ kind: 'step-down', set, promotion: undefined })
    }
  }

  async #write(set: string, appointment: Appointment): Promise<void> {
    try {
      await this.#records.put({ set, logEpoch: appointment.epoch, appointment })
    } catch (cause) {
      const why = messageOf(cause)
      this.#logger.error({ set, ...appointment, why }, 'who is to be the master could not be written down')
      throw new BrokerError(
        'UNAVAILABLE',
        `${why}; the set takes no messages until this promotion is asked for again and succeeds`,
        { cause },
      )
    }
  }

  /** Resolves when the promotion may be written down. */
  #judged(request: PromotionRequest, number: number): Promise<AppointingVerdict> {
    return new Promise((resolve, reject) => {
      let words = ''
      const began = this.#registry.now().at
      const look = (): void => {
        const set = this.#registry.set(request.set)
        const verdict = judgePromotion(set, request, { promotion: number, began }, this.#registry.now())
        switch (verdict.kind) {
          case 'appoint':
            return end(() => resolve(verdict))
          case 'refuse':
            return end(() => reject(refused(verdict.words)))
          case 'listen':
            words = verdict.words
            return
          case 'wait':
            words = verdict.words
            if (set?.stepDown !== number)
              this.#registry.take({ kind: 'step-down', set: request.set, promotion: number })
            return
          default:
            return unreachable(verdict)
        }
      }
      const late = this.#clock.after(PATIENCE_MS, () =>
        end(() => reject(refused(`not within ${PATIENCE_MS / 1_000} s: ${words}`))),
      )
      const end = (settle: () => void): void => {
        late.cancel()
        this.#looks.set(request.set, () => undefined)
        settle()
      }
      this.#looks.set(request.set, look)
      look()
    })
  }
}

function refused(words: string): BrokerError {
  return new BrokerError('PROMOTION_REFUSED', words)
}
