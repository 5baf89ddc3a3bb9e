import { BrokerError } from '@tandemmq/base'

/**
 * Lets receives in while there is room for their answers. The others wait here, and not on the stream: acknowledgements, sends and cancels
 * come over the same one and go on meanwhile.
 */
export class ReceiveGate {
  readonly #hasRoom: () => boolean
  readonly #waitingBytesMax: number
  readonly #waiting = new Set<() => void>()
  #bytes = 0
  #isScheduled = false

  /** @param waitingBytesMax of requests that wait */
  constructor(hasRoom: () => boolean, waitingBytesMax: number) {
    this.#hasRoom = hasRoom
    this.#waitingBytesMax = waitingBytesMax
  }

  /** Receives that wait at present. */
  get size(): number {
    return this.#waiting.size
  }

  /**
   * Nothing: go on at once. Otherwise resolves when there is room, in the order of arrival, or when the caller is gone. Throws `SYSTEM_BUSY`
   * when too many wait.
   */
  enter(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    if (this.#waiting.size === 0 && this.#hasRoom()) return undefined
    if (this.#bytes + bytes > this.#waitingBytesMax) {
      throw new BrokerError('SYSTEM_BUSY', 'too many receives wait for answers to be taken')
    }
    return new Promise((resolve) => {
      const leave = (): void => {
        signal.removeEventListener('abort', leave)
        if (this.#waiting.delete(leave)) this.#bytes -= bytes
        resolve()
      }
      this.#waiting.add(leave)
      this.#bytes += bytes
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** There may be room. One for each turn of the event loop: how large its answer is shows only when it is there. */
  look(): void {
    if (this.#isScheduled || this.#waiting.size === 0 || !this.#hasRoom()) return
    const [next] = this.#waiting
    next?.()
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.look()
    })
  }
}
