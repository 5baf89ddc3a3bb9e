import type { Counter, Logger, Meter } from '@tandemmq/base'
import type { Arrival } from './arrival.ts'

/**
 * Records that no consume queue can take: their topic could not be the name of a directory, or their place in the queue cannot be. A master of ours
 * never writes one (`MESSAGE_ILLEGAL`); a slave takes its master's bytes as they are, so that the logs stay equal, and leaves the record in the log.
 */
export class UnqueuedRecords {
  readonly #logger: Logger
  readonly #counter: Counter
  #isTold = false

  constructor(logger: Logger, meter: Meter) {
    this.#logger = logger
    this.#counter = meter.counter(
      'rocketmq_ha_unqueued_records_total',
      'Records that are in the log only, because of their topic or queue.',
    )
  }

  note({ topic, queueId, queueOffset, offset }: Arrival): void {
    this.#counter.add(1)
    if (this.#isTold) return
    this.#isTold = true
    this.#logger.warn(
      { code: 'MESSAGE_ILLEGAL', offset, queueId, queueOffset, topic: JSON.stringify(topic.slice(0, 64)) },
      'a record names a topic or queue that cannot be; it stays in the log only, and this is not told again',
    )
  }
}
