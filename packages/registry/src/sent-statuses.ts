/** Statuses whose answer is still outstanding; older ones are forgotten, so that an answer to them counts for nothing. */
const UNANSWERED_MAX = 256

interface Sent {
  readonly sequence: number
  readonly at: number
}

/**
 * When each status of a session was sent, on the monotonic clock: a lease counts from there, so that delay only shortens it.
 */
export class SentStatuses {
  #sent: Sent[] = []

  /** A session is being opened: its hello counts as status 0. */
  opening(now: number): void {
    this.#sent = [{ sequence: 0, at: now }]
  }

  /** A status is being sent. Call it before the bytes can leave. */
  sent(sequence: number, now: number): void {
    this.#sent.push({ sequence, at: now })
    if (this.#sent.length > UNANSWERED_MAX) this.#sent.shift()
  }

  /** An answer has come: when what it answers was sent; `undefined`: not on this session, or too long ago. Earlier ones are not waited for any more. */
  answered(sequence: number): number | undefined {
    const at = this.#sent.find((sent) => sent.sequence === sequence)?.at
    this.#sent = this.#sent.filter((sent) => sent.sequence >= sequence)
    return at
  }
}
