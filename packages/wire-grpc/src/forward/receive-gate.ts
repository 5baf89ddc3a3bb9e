import { BrokerError } from '@tandemmq/base'
import { TurnPace } from '../client-api/turn-pace.ts'

/** Begun in one turn of the event loop: how large their answers are shows only when they are there. */
const BEGUN_A_TURN = 4

/**
 * Lets receives in while there is room for their answers, the clients one after the other. The others wait here, and not on the stream:
 * acknowledgements, sends and cancels come over the same one and go on meanwhile.
 */
export class ReceiveGate {
  readonly #pace: TurnPace
  readonly #waitingBytesMax: number
  #bytes = 0

  /** @param waitingBytesMax of requests that wait */
  constructor(hasRoom: () => boolean, waitingBytesMax: number) {
    this.#pace = new TurnPace(BEGUN_A_TURN, hasRoom)
    this.#waitingBytesMax = waitingBytesMax
  }

  /**
   * Nothing: go on at once. Otherwise resolves when there is room, in the order of arrival of each client's, or when the caller is gone. Throws
   * `SYSTEM_BUSY` when too many wait.
   */
  enter(bytes: number, client: string, signal: AbortSignal): Promise<void> | undefined {
    if (this.#pace.mustWait(1) && this.#bytes + bytes > this.#waitingBytesMax) {
      throw new BrokerError('SYSTEM_BUSY', 'too many receives wait for answers to be taken')
    }
    const waiting = this.#pace.enter(1, client, signal)
    if (waiting === undefined) return undefined
    this.#bytes += bytes
    return waiting.then(() => {
      this.#bytes -= bytes
    })
  }

  /** There may be room. */
  look(): void {
    this.#pace.look()
  }
}
