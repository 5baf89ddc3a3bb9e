import { BrokerError } from '@tandemmq/base'
import type { Appended, MessageLog, MessageToAppend } from './message-log.ts'

interface Waiting {
  readonly resolve: (appended: Appended) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Gathers the messages of one turn of the event loop, so that the log takes them in few writes. They are appended at the end of that turn, in the
 * order in which they came: nothing that arrives later can come between.
 */
export class AppendTurn {
  readonly #log: Pick<MessageLog, 'appendAll'>
  #records: MessageToAppend[] = []
  #waiting: Waiting[] = []

  constructor(log: Pick<MessageLog, 'appendAll'>) {
    this.#log = log
  }

  /** Resolves once the message is in the log; rejects as `MessageLog.append` throws. */
  append(record: MessageToAppend): Promise<Appended> {
    return new Promise((resolve, reject) => {
      if (this.#records.length === 0) queueMicrotask(() => this.#run())
      this.#records.push(record)
      this.#waiting.push({ resolve, reject })
    })
  }

  #run(): void {
    const records = this.#records
    const waiting = this.#waiting
    this.#records = []
    this.#waiting = []
    try {
      for (const [index, outcome] of this.#log.appendAll(records).entries()) {
        if (outcome instanceof BrokerError) waiting[index]?.reject(outcome)
        else waiting[index]?.resolve(outcome)
      }
    } catch (failure) {
      for (const { reject } of waiting) reject(failure)
    }
  }
}
