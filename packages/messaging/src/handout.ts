import type { KeyObject } from 'node:crypto'
import { encodeReceiptHandle } from '@tandemmq/codec'
import type { Clock } from '@tandemmq/base'
import type { DeliveredMessage, ReceiveRequest } from './api.ts'
import type { Candidate } from './candidate.ts'
import type { Delivery, ProgressBook } from './progress-book.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { HeldLeases } from './held-leases.ts'
import { invisibleMsOf } from './invisibility.ts'
import type { MessageMetrics } from './message-metrics.ts'
import { PropertyName } from './property-names.ts'
import { TIMER_TOPIC } from './timer-record.ts'

export interface HandoutParts {
  readonly book: ProgressBook
  readonly held: HeldLeases
  readonly metrics: MessageMetrics
  readonly clock: Clock
  /** The name of the broker set, and the key that its brokers share for handles. */
  readonly set: string
  readonly handleKey: KeyObject
}

/** Turns what was found into deliveries: the lease is in the journal before anybody sees the message (rule 5.1). */
export class Handout {
  readonly #parts: HandoutParts

  constructor(parts: HandoutParts) {
    this.#parts = parts
  }

  give(
    queue: DeliveryQueue,
    candidates: readonly Candidate[],
    request: ReceiveRequest,
    clientId: string,
    servingEpoch: number,
  ): DeliveredMessage[] {
    if (candidates.length === 0) return []
    const { book, held, metrics, clock } = this.#parts
    const { group, topic, queueId } = queue
    // A due message of the timer queue is that of the topic it was asked for in (rule 5.6).
    const realTopic = topic === TIMER_TOPIC ? request.topic : undefined
    const deliveredAt = clock.now()
    const invisibleMs = invisibleMsOf(request)
    const deliveries: Delivery[] = []
    for (const { queueOffset, stamp, attempt, isAcked } of candidates) {
      if (!isAcked) deliveries.push({ queueOffset, stamp, attempt, deliveredAt, invisibleMs })
      queue.held.delete(queueOffset)
    }
    if (deliveries.length > 0) book.commit({ kind: 'lease', group, topic, queueId, servingEpoch, deliveries })
    if (request.autoRenew) {
      held.hold(
        queue,
        deliveries.map(({ queueOffset }) => queueOffset),
        clientId,
        servingEpoch,
      )
    }
    let bytes = 0
    const messages = candidates.map((candidate) => {
      bytes += candidate.record.size
      const delivery = { deliveredAt, invisibleMs, servingEpoch }
      return this.#message(queue, candidate, delivery, realTopic)
    })
    metrics.delivered(realTopic ?? topic, group, messages.length, bytes)
    return messages
  }

  #message(
    queue: DeliveryQueue,
    { queueOffset, stamp, attempt, record, properties }: Candidate,
    delivery: { readonly deliveredAt: number; readonly invisibleMs: number; readonly servingEpoch: number },
    realTopic: string | undefined,
  ): DeliveredMessage {
    const { set, handleKey } = this.#parts
    const { group, topic, queueId } = queue
    properties.delete(PropertyName.scheduled)
    properties.delete(PropertyName.deadLetterOf)
    const handle = {
      set,
      group,
      topic,
      queueId,
      queueOffset,
      stamp,
      attempt,
      ...delivery,
    }
    if (realTopic === undefined) {
      return { record, properties, topic, receiptHandle: encodeReceiptHandle(handle, handleKey), attempt }
    }
    const place = {
      queueId: Number(properties.get(PropertyName.realQueueId) ?? 0),
      queueOffset: -1 - queueOffset,
    }
    return {
      record,
      properties,
      topic: realTopic,
      place,
      receiptHandle: encodeReceiptHandle({ ...handle, realTopic }, handleKey),
      attempt,
    }
  }
}
