/** What may be sent at once, as a share of a second. */
const BURST_SECONDS = 0.1

/** Lets so many bytes a second through (`maxHaTransferByteInSecond`), a tenth of a second's worth at a time. */
export class TransferPace {
  readonly #bytesPerSecond: number
  #left: number
  #at: number

  constructor(bytesPerSecond: number, now: number) {
    this.#bytesPerSecond = bytesPerSecond
    this.#left = bytesPerSecond * BURST_SECONDS
    this.#at = now
  }

  /** Bytes that may go now. */
  allowed(now: number): number {
    const earned = ((now - this.#at) / 1_000) * this.#bytesPerSecond
    this.#at = now
    this.#left = Math.min(this.#bytesPerSecond * BURST_SECONDS, this.#left + earned)
    return Math.floor(this.#left)
  }

  took(bytes: number): void {
    this.#left -= bytes
  }

  /** Until half of what may go at once is there, ms; 0: it is. */
  get waitMs(): number {
    const lacking = (this.#bytesPerSecond * BURST_SECONDS) / 2 - this.#left
    return Math.max(0, Math.ceil((lacking / this.#bytesPerSecond) * 1_000))
  }
}
