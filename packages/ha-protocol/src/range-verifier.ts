import { BrokerError } from '@tandemmq/base'
import type { Clock, Counter, Logger, LogOffset, Timer } from '@tandemmq/base'
import type { Control, LogRange } from '@tandemmq/codec'
import type { ReplicatedLog } from './replicated-log.ts'
import type { Comparable, RangeVerification } from './range-verification.ts'
import { VERIFIED_BYTES_MAX } from './range-verification.ts'

export interface VerifierLimits {
  /** Pace in the background. */
  readonly bytesPerSecond: number
  /** A remainder that is too small for a range of its own waits so long for more. */
  readonly remainderMs: number
  /** A slave that has not answered within this is asked again; after three times it is left alone. */
  readonly answerMs: number
  /** When everything is compared, it begins again so long after it began. */
  readonly againMs: number
}

export const defaultVerifierLimits: VerifierLimits = {
  bytesPerSecond: 2 * 1024 * 1024,
  remainderMs: 10_000,
  answerMs: 10_000,
  againMs: 24 * 60 * 60 * 1_000,
}

export interface VerifierPorts {
  readonly log: ReplicatedLog
  readonly clock: Clock
  readonly logger: Logger
  /** Whose log is compared. */
  readonly identity: string
  readonly verification: RangeVerification
  readonly limits: VerifierLimits
  readonly mismatches: Counter
  /** Up to where the slave holds what it cannot lose again. */
  readonly confirmed: () => LogOffset
  /** Whether it could be sent. */
  readonly send: (control: Control) => boolean
}

const ATTEMPTS_MAX = 3
/** The socket was full. */
const SEND_AGAIN_MS = 100

/** Compares a connected slave's log with ours, range by range: asks for a checksum, computes ours when the answer is there. */
export class RangeVerifier {
  readonly #ports: VerifierPorts
  #asked: LogRange | undefined
  #attempts = 0
  #timer: Timer | undefined
  #isOver = false

  constructor(ports: VerifierPorts) {
    this.#ports = ports
    ports.verification.resume(ports.clock.monotonic())
  }

  /** More may be there to compare, or a run has begun. */
  wake(): void {
    if (this.#isOver || this.#asked !== undefined) return
    const { clock, limits, verification } = this.#ports
    const comparable = this.#comparable()
    if (verification.isUrgent(comparable)) {
      this.#timer?.cancel()
      return this.#ask()
    }
    if (this.#timer !== undefined) return
    const { min, max } = comparable
    const left = max - Math.max(verification.view.verifiedTo, min)
    const pieceMs = (VERIFIED_BYTES_MAX / limits.bytesPerSecond) * 1_000
    if (left > 0) return this.#later(left < VERIFIED_BYTES_MAX ? limits.remainderMs : pieceMs)
    if (verification.restart(clock.monotonic(), limits.againMs)) this.#later(pieceMs)
  }

  heard({ checked, unchecked }: Control): void {
    const asked = this.#asked
    const answer = checked ?? unchecked
    if (asked === undefined || answer?.from !== asked.from || answer.to !== asked.to) return
    this.#asked = undefined
    this.#attempts = 0
    this.#timer?.cancel()
    this.#timer = undefined
    const own = this.#ownChecksum(asked)
    const isEqual = checked === undefined || own === undefined ? undefined : own === checked.crc
    // It may know of differences that an earlier process of ours found, before our log was repaired.
    if (isEqual === true) this.#ports.send({ equal: asked })
    for (const range of this.#ports.verification.answered(isEqual)) this.#differs(range)
    this.wake()
  }

  stop(): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#ports.verification.abandoned()
  }

  #ask(): void {
    this.#timer = undefined
    const range = this.#ports.verification.next(this.#comparable())
    if (range === undefined) return
    if (!this.#ports.send({ check: range })) {
      this.#ports.verification.abandoned()
      return this.#later(SEND_AGAIN_MS)
    }
    this.#asked = range
    this.#timer = this.#ports.clock.after(this.#ports.limits.answerMs, () => this.#unanswered())
  }

  #later(delayMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#ports.clock.after(delayMs, () => this.#ask())
  }

  #unanswered(): void {
    const { identity, logger, verification } = this.#ports
    this.#asked = undefined
    verification.abandoned()
    this.#attempts += 1
    if (this.#attempts < ATTEMPTS_MAX) return this.#ask()
    this.#isOver = true
    logger.warn({ identity }, 'a slave does not answer what its checksums are: it is not compared')
  }

  #comparable(): Comparable {
    const { confirmed, log } = this.#ports
    return { min: log.minOffset, max: Math.min(confirmed(), log.end) }
  }

  /** `undefined`: our own log no longer has it, or cannot read it, which others hear of. */
  #ownChecksum({ from, to }: LogRange): number | undefined {
    const { identity, log, logger } = this.#ports
    if (from < log.minOffset || to > log.end) return undefined
    try {
      return log.checksum(from, to)
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      logger.error({ identity, from, to, why: error.message }, 'a range of our own log cannot be read')
      return undefined
    }
  }

  #differs(range: LogRange): void {
    const { identity, logger, mismatches, send } = this.#ports
    mismatches.add(1, { identity })
    logger.error({ identity, ...range }, 'the log of a slave differs from ours in this range')
    send({ mismatch: range })
  }
}
