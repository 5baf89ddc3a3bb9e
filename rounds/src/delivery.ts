/** One delivery of one record to a group, as its receipt handle tells. */
export interface Delivery {
  /** Of the message; `undefined`: its body is none that was sent. */
  readonly number: number | undefined
  readonly queueId: number
  readonly queueOffset: number
  /** 1 = the first. */
  readonly attempt: number
  /** Wall clock of the broker, which is this machine's too, ms. */
  readonly deliveredAt: number
  /** Under which serving token (rule 4.1). */
  readonly epoch: number
}
