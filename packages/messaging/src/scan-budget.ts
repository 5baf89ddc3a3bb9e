/** One answer carries no more bytes than this, unless its first message alone is larger. */
const BYTES_MAX = 4 * 1024 * 1024
/** Messages filtered out in one turn of the event loop; whoever finds nothing until then goes on in the next turn. */
const FILTERED_MAX = 4096
/** Messages passed over because they can be neither delivered nor moved now. */
const PASSED_OVER_MAX = 65_536

/** What one receive may still take and look at, over all queues. */
export class ScanBudget {
  #messages: number
  #bytes = BYTES_MAX
  #filtered = FILTERED_MAX
  #passedOver = PASSED_OVER_MAX
  #isEmpty = true

  constructor(messages: number) {
    this.#messages = messages
  }

  /** The turn is used up although there may be more to find. */
  get isTired(): boolean {
    return this.#filtered === 0
  }

  get isSpent(): boolean {
    return this.#messages === 0 || this.#filtered === 0 || this.#passedOver === 0
  }

  fits(size: number): boolean {
    return this.#isEmpty || size <= this.#bytes
  }

  take(size: number): void {
    this.#messages -= 1
    this.#bytes -= size
    this.#isEmpty = false
  }

  filter(): void {
    this.#filtered -= 1
  }

  passOver(): void {
    this.#passedOver -= 1
  }

  /** Nothing further fits. */
  close(): void {
    this.#messages = 0
  }
}
