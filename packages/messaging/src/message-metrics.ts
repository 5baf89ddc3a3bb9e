import type { Counter, Histogram, Labels, Meter, Reading } from '@tandemmq/base'
import type { MessageType } from './api.ts'

/** Apache's bounds of `rocketmq_message_size`, bytes. */
const SIZE_BOUNDS = [1024, 4096, 512 * 1024, 1024 * 1024, 2 * 1024 * 1024, 4 * 1024 * 1024]
/** Pairs of topic and type, or of topic and group, beyond this are counted together under {@link OTHERS}. */
const SERIES_MAX = 10_000
/** No topic and no group can have this name. */
const OTHERS = '(others)'

/** Messages and bytes of one series. */
interface Tally {
  readonly labels: Labels
  messages: number
  bytes: number
}

/**
 * What Apache's broker exports under these names, for the same dashboards. In the path of a message a number grows in an object that was made
 * once per topic and group; it becomes text when somebody asks.
 */
export class MessageMetrics {
  readonly #in = new Map<string, Tally>()
  readonly #out = new Map<string, Tally>()
  readonly #scheduled = new Map<string, Tally>()
  readonly #delivered = new Map<string, Tally>()
  readonly #deadLetters = new Map<string, Tally>()
  readonly #sizes: Histogram
  readonly #staleStamps: Counter

  constructor(meter: Meter) {
    const sent = ['topic', 'message_type', 'is_system']
    const consumed = ['topic', 'consumer_group', 'is_retry', 'is_system']
    meter.total('rocketmq_messages_in_total', 'Messages stored for producers.', sent, messages(this.#in))
    meter.total('rocketmq_throughput_in_total', 'Bytes stored for producers.', sent, bytes(this.#in))
    meter.total(
      'rocketmq_messages_out_total',
      'Messages delivered to consumers.',
      consumed,
      messages(this.#out),
    )
    meter.total('rocketmq_throughput_out_total', 'Bytes delivered to consumers.', consumed, bytes(this.#out))
    meter.total(
      'rocketmq_send_to_dlq_messages_total',
      'Messages moved to a dead letter topic.',
      ['topic', 'consumer_group', 'is_system'],
      messages(this.#deadLetters),
    )
    meter.total(
      'rocketmq_timer_enqueue_total',
      'Scheduled messages stored.',
      ['topic'],
      messages(this.#scheduled),
    )
    meter.total(
      'rocketmq_timer_dequeue_total',
      'Scheduled messages put into their topic.',
      ['topic'],
      messages(this.#delivered),
    )
    this.#sizes = meter.histogram(
      'rocketmq_message_size',
      'Sizes of the messages that were stored, bytes.',
      SIZE_BOUNDS,
      sent,
    )
    this.#staleStamps = meter.counter(
      'rocketmq_ha_stale_receipts_total',
      'Receipt handles that name a record which is not in this log (rule 5.2).',
    )
  }

  stored(topic: string, type: MessageType, size: number): void {
    const tally = tallyOf(this.#in, topic, type, producedLabels)
    grow(tally, 1, size)
    this.#sizes.observe(size, tally.labels)
  }

  delivered(topic: string, group: string, count: number, size: number): void {
    grow(tallyOf(this.#out, topic, group, consumedLabels), count, size)
  }

  deadLettered(topic: string, group: string): void {
    grow(tallyOf(this.#deadLetters, topic, group, deadLabels), 1, 0)
  }

  /** `topic` is where it will be put. */
  scheduled(topic: string): void {
    grow(tallyOf(this.#scheduled, topic, '', topicLabels), 1, 0)
  }

  timerDelivered(topic: string): void {
    grow(tallyOf(this.#delivered, topic, '', topicLabels), 1, 0)
  }

  staleStamp(): void {
    this.#staleStamps.add()
  }
}

function producedLabels(topic: string, type: string): Labels {
  return { topic, message_type: type.toLowerCase(), is_system: 'false' }
}

function consumedLabels(topic: string, group: string): Labels {
  return { topic, consumer_group: group, is_retry: 'false', is_system: 'false' }
}

function deadLabels(topic: string, group: string): Labels {
  return { topic, consumer_group: group, is_system: 'false' }
}

function topicLabels(topic: string): Labels {
  return { topic }
}

function tallyOf(
  tallies: Map<string, Tally>,
  topic: string,
  other: string,
  labels: (topic: string, other: string) => Labels,
): Tally {
  // No topic has a blank in its name.
  const known = tallies.get(`${topic} ${other}`)
  if (known !== undefined) return known
  const isFull = tallies.size >= SERIES_MAX && topic !== OTHERS
  if (isFull) return tallyOf(tallies, OTHERS, other === '' ? '' : OTHERS, labels)
  const tally = { labels: labels(topic, other), messages: 0, bytes: 0 }
  tallies.set(`${topic} ${other}`, tally)
  return tally
}

function grow(tally: Tally, count: number, size: number): void {
  tally.messages += count
  tally.bytes += size
}

function messages(tallies: ReadonlyMap<string, Tally>): () => readonly Reading[] {
  return () => readings(tallies, (tally) => tally.messages)
}

function bytes(tallies: ReadonlyMap<string, Tally>): () => readonly Reading[] {
  return () => readings(tallies, (tally) => tally.bytes)
}

function readings(tallies: ReadonlyMap<string, Tally>, value: (tally: Tally) => number): readonly Reading[] {
  return [...tallies.values()].map((tally) => ({ labels: tally.labels, value: value(tally) }))
}
