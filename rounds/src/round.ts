/** What one round has come to. */
export interface RoundResult {
  readonly round: number
  readonly misfortune: string
  /** `ASYNC_FLUSH, 1 slave` */
  readonly brokers: string
  readonly sent: number
  readonly acknowledged: number
  /** Answered with "nothing was stored". */
  readonly refused: number
  /** Anything else but OK. */
  readonly unknown: number
  /** The longest time without an acknowledged send since the misfortune began, ms. */
  readonly sendPauseMs: number
  /** The longest time since then in which no receive of a group was answered, ms. */
  readonly receivePauseMs: number
  /** From mending to a cluster that is whole, ms. */
  readonly recoveryMs: number
  /** Deliveries beyond the first, in all groups. */
  readonly again: number
  /** Those of them that came after an acknowledgement that was answered OK, and may. */
  readonly excused: number
  /** Acknowledged messages that are missing in a log or to a group, of all rounds of this cluster. */
  readonly lost: number
  /** Everything that is not as promised, in sentences. */
  readonly violations: readonly string[]
}
