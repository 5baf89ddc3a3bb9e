import type { Counter, Labels, Meter } from '@tandemmq/base'
import type { MessageType } from './api.ts'

/** What Apache's broker exports under these names, for the same dashboards. Label objects are made once per topic and group. */
export class MessageMetrics {
  readonly #messagesIn: Counter
  readonly #bytesIn: Counter
  readonly #messagesOut: Counter
  readonly #bytesOut: Counter
  readonly #deadLetters: Counter
  readonly #staleStamps: Counter
  readonly #timersDelivered: Counter
  readonly #labels = new Map<string, Labels>()
  readonly #cluster: string

  constructor(meter: Meter, cluster: string) {
    this.#cluster = cluster
    const sent = ['cluster', 'topic', 'message_type']
    const consumed = ['cluster', 'topic', 'consumer_group']
    this.#messagesIn = meter.counter('rocketmq_messages_in_total', 'Messages stored for producers.', sent)
    this.#bytesIn = meter.counter('rocketmq_throughput_in_total', 'Bytes stored for producers.', sent)
    this.#messagesOut = meter.counter(
      'rocketmq_messages_out_total',
      'Messages delivered to consumers.',
      consumed,
    )
    this.#bytesOut = meter.counter('rocketmq_throughput_out_total', 'Bytes delivered to consumers.', consumed)
    this.#deadLetters = meter.counter(
      'rocketmq_send_to_dlq_messages_total',
      'Messages moved to a dead letter topic.',
      consumed,
    )
    this.#staleStamps = meter.counter(
      'tandemmq_stale_receipts_total',
      'Receipt handles that name a record which is not in this log (rule 5.2).',
    )
    this.#timersDelivered = meter.counter(
      'tandemmq_timers_delivered_total',
      'Scheduled messages put into their topic.',
    )
  }

  stored(topic: string, type: MessageType, bytes: number): void {
    const labels = this.#of(topic, 'message_type', type)
    this.#messagesIn.add(1, labels)
    this.#bytesIn.add(bytes, labels)
  }

  delivered(topic: string, group: string, messages: number, bytes: number): void {
    const labels = this.#of(topic, 'consumer_group', group)
    this.#messagesOut.add(messages, labels)
    this.#bytesOut.add(bytes, labels)
  }

  deadLettered(topic: string, group: string): void {
    this.#deadLetters.add(1, this.#of(topic, 'consumer_group', group))
  }

  staleStamp(): void {
    this.#staleStamps.add()
  }

  timerDelivered(): void {
    this.#timersDelivered.add()
  }

  #of(topic: string, name: 'message_type' | 'consumer_group', value: string): Labels {
    const key = `${topic}\n${name}\n${value}`
    const known = this.#labels.get(key)
    if (known) return known
    const labels = { cluster: this.#cluster, topic, [name]: value }
    this.#labels.set(key, labels)
    return labels
  }
}
