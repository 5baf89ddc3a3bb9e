/** How many sends are under way at a time. */
const LANES = 4

/** Bursts of messages of all sizes through one client. What fails is counted and tried again. */
export class Load {
  /** Ids of the messages that were acknowledged. */
  readonly acknowledged: string[] = []
  failed = 0
  readonly #send: (body: Buffer) => Promise<string>
  #n = 0

  /** `send` resolves with the message's id once it is acknowledged. */
  constructor(send: (body: Buffer) => Promise<string>) {
    this.#send = send
  }

  /**
   * Resolves when `count` more are acknowledged.
   * @param atHalf begins when half of them are; the burst goes on meanwhile, and ends with it
   */
  async burst(count: number, atHalf?: () => Promise<void>): Promise<void> {
    const goal = this.acknowledged.length + count
    const half = goal - count / 2
    let interlude: Promise<void> | undefined
    let isInterludeOver = false
    const isDone = (): boolean => (atHalf === undefined ? this.acknowledged.length >= goal : isInterludeOver)
    const lane = async (): Promise<void> => {
      while (!isDone()) {
        await this.#once()
        if (atHalf === undefined || this.acknowledged.length < half) continue
        interlude ??= atHalf().finally(() => (isInterludeOver = true))
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    await interlude
  }

  async #once(): Promise<void> {
    this.#n += 1
    try {
      this.acknowledged.push(
        await this.#send(Buffer.alloc(1 + ((this.#n * 977) % 9_000), 1 + (this.#n % 255))),
      )
    } catch {
      this.failed += 1
    }
  }
}
