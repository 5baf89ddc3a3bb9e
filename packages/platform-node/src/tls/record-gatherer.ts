/** What a TLS record holds at most (RFC 8446, 5.1), and what Node hands over at a time. */
const RECORD_BYTES = 16 * 1024
/** What is handed over at most, as much as one read of a plain socket takes. */
const GATHERED_BYTES = 256 * 1024

/**
 * Puts records together that came in one turn: whoever reads would otherwise do many times the work that it does on a plain socket. A full record
 * waits for the next one, until the turn is over; anything shorter is the end of a write, and waits for nothing. What is delivered is lent.
 */
export class RecordGatherer {
  readonly #deliver: (chunk: Buffer) => void
  /** Made with the first full record. */
  #memory: Buffer | undefined
  #length = 0
  #due: NodeJS.Immediate | undefined
  #isPaused = false

  constructor(deliver: (chunk: Buffer) => void) {
    this.#deliver = deliver
  }

  take(chunk: Buffer): void {
    if (this.#length + chunk.length > GATHERED_BYTES) this.flush()
    const isEnd = chunk.length < RECORD_BYTES
    if (this.#length === 0 && isEnd && !this.#isPaused) return this.#deliver(chunk)
    this.#memory ??= Buffer.allocUnsafeSlow(GATHERED_BYTES)
    this.#length += chunk.copy(this.#memory, this.#length)
    if (isEnd && !this.#isPaused) this.flush()
    else this.#wait()
  }

  /** What is held stays until {@link resume}. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#wait()
  }

  /** Hands over what is held: when the turn is over, or before the end of the connection is told. */
  flush(): void {
    clearImmediate(this.#due)
    this.#due = undefined
    const length = this.#length
    this.#length = 0
    if (length > 0 && this.#memory !== undefined) this.#deliver(this.#memory.subarray(0, length))
  }

  #wait(): void {
    if (this.#length === 0 || this.#isPaused) return
    this.#due ??= setImmediate(() => {
      this.#due = undefined
      if (!this.#isPaused) this.flush()
    })
  }
}
