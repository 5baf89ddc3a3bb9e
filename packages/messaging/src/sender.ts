import { BrokerError, type Clock } from '@tandemmq/base'
import { AppendTurn } from './append-turn.ts'
import type { CallContext, OutgoingMessage, SendReceipt } from './api.ts'
import type { Catalog, TopicView } from './catalog.ts'
import type { Durability } from './durability.ts'
import type { MessageLog } from './message-log.ts'
import type { MessageMetrics } from './message-metrics.ts'
import { checkOutgoing, type OutgoingLimits } from './outgoing-limits.ts'
import type { OutgoingRecords } from './outgoing-record.ts'
import { QueueChoice } from './queue-choice.ts'
import { scheduledRecord, TIMER_TOPIC } from './timer-record.ts'

export interface SenderParts {
  readonly catalog: Catalog
  readonly log: MessageLog
  readonly durability: Durability
  readonly records: OutgoingRecords
  readonly metrics: MessageMetrics
  readonly clock: Clock
  readonly limits: OutgoingLimits
}

/** Stores messages. OK is said only once the durability that the broker's mode promises is there. */
export class Sender {
  readonly #parts: SenderParts
  readonly #turn: AppendTurn
  readonly #queues = new QueueChoice()

  constructor(parts: SenderParts) {
    this.#parts = parts
    this.#turn = new AppendTurn(parts.log)
  }

  async send(message: OutgoingMessage, context: CallContext): Promise<SendReceipt> {
    const { durability, metrics } = this.#parts
    const record = this.#record(message, context)
    durability.admit()
    const appended = await this.#turn.append(record) // At the end of this turn: the queue offset is taken there.
    metrics.stored(message.topic, message.type, appended.size)
    if (record.topic === TIMER_TOPIC) metrics.scheduled(message.topic)
    // Flush and replication start together, now, and both must be done before OK.
    const status = await durability.confirmed(appended.end, context.deadline)
    return {
      status,
      messageId: message.messageId,
      queueId: record.queueId,
      queueOffset: appended.queueOffset,
      offset: appended.offset,
    }
  }

  #record(message: OutgoingMessage, context: CallContext) {
    const { records, clock, limits } = this.#parts
    const topic = this.#topic(message)
    const now = clock.now()
    checkOutgoing(message, topic, limits, now)
    if (message.type === 'TRANSACTION') {
      throw new BrokerError('ILLEGAL_ARGUMENT', 'transactional messages are not supported')
    }
    const queueId = this.#queues.choose(topic.name, topic.writeQueues, message.messageGroup)
    const record = records.record(message, queueId, context.peer)
    const { deliveryTimestamp } = message
    return deliveryTimestamp !== undefined && deliveryTimestamp > now
      ? scheduledRecord(record, deliveryTimestamp)
      : record
  }

  #topic({ topic: name }: OutgoingMessage): TopicView {
    const { catalog } = this.#parts
    const topic = catalog.topic(name) ?? catalog.createTopic(name)
    if (topic) return topic
    throw new BrokerError('TOPIC_NOT_FOUND', `no such topic: ${name}`, { facts: { topic: name } })
  }
}
