import type { Clock, Logger } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import type { CallTarget } from '../client-api/call-target.ts'
import { giveBack } from '../edge/give-back.ts'

/** The method whose answers take messages out of sight. */
export const RECEIVE = 'ReceiveMessage'

/** What a receive was answered with, as far as it has got. */
export interface ReceiveAnswer {
  readonly request: Uint8Array
  readonly context: CallContext
  readonly frames: Uint8Array[]
  bytes: number
}

export interface UntakenAnswersParts {
  readonly target: CallTarget
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Answers to receives that the gateway has not said to have. If its stream breaks, or it cancels a call that was just answered, nobody will ever
 * see those messages, and under auto-renew they would stay out of sight for as long as their client lives: they are given back.
 */
export class UntakenAnswers {
  readonly #parts: UntakenAnswersParts
  readonly #bytesMax: number
  readonly #answers = new Map<number, ReceiveAnswer>()
  #bytes = 0

  /** `bytesMax`: of answers remembered at a time; beyond that the oldest are forgotten. */
  constructor(parts: UntakenAnswersParts, bytesMax: number) {
    this.#parts = parts
    this.#bytesMax = bytesMax
  }

  /** Answers remembered at present. */
  get size(): number {
    return this.#answers.size
  }

  /** A receive has been answered completely. */
  remember(id: number, answer: ReceiveAnswer): void {
    if (answer.frames.length === 0) return
    this.#answers.set(id, answer)
    this.#bytes += answer.bytes
    for (const oldest of this.#answers.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.taken(oldest)
    }
  }

  /** The gateway has it, and sees to it that the client gets it or gives it back. */
  taken(id: number): void {
    this.#bytes -= this.#answers.get(id)?.bytes ?? 0
    this.#answers.delete(id)
  }

  /** Nobody waits for this call any more. */
  cancelled(id: number): void {
    const answer = this.#answers.get(id)
    this.taken(id)
    if (answer) void this.giveBack([answer])
  }

  /** The stream is over. */
  over(): void {
    const answers = [...this.#answers.values()]
    this.#answers.clear()
    this.#bytes = 0
    void this.giveBack(answers)
  }

  /** One after another, so that many of them do not hold up everybody else. Never rejects. */
  async giveBack(answers: readonly ReceiveAnswer[]): Promise<void> {
    for (const { request, frames, context } of answers) await giveBack(request, frames, context, this.#parts)
  }
}
