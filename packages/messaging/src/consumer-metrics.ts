import type { Clock, Labels, Meter, QueueOffset, Reading } from '@tandemmq/base'
import type { Catalog } from './catalog.ts'
import type { ProgressBook } from './progress-book.ts'
import type { MessageLog } from './message-log.ts'
import type { ServingGate } from './serving.ts'
import type { Subscriptions } from './subscription.ts'
import { TIMER_TOPIC } from './timer-record.ts'

export interface ConsumerMetricsParts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly catalog: Catalog
  readonly gate: ServingGate
  readonly subscriptions: Subscriptions
  readonly clock: Clock
}

/** Where a group is on a topic. */
interface Standing {
  readonly labels: Labels
  /** Not acknowledged. */
  readonly lag: number
  /** Of these, in the hands of a consumer. */
  readonly inFlight: number
  /** Store time of the oldest that is not acknowledged, and of the oldest that nobody has; 0: there is none. */
  readonly oldest: number
  readonly oldestReady: number
}

/** One scrape asks for five numbers of each: they are worked out once in so long, ms. */
const FRESH_MS = 200
/** Pairs of group and topic beyond this are not shown: each costs two reads of the log, and a scrape must not hold up messages. */
const PAIRS_MAX = 1_000
/** Nor are those behind this many queues. */
const QUEUES_MAX = 20_000

/**
 * How far consumers are, under Apache's names, worked out when somebody asks. Only the broker that serves the consumers of its set says it, so that sums over
 * all brokers count every message once.
 */
export class ConsumerMetrics {
  readonly #parts: ConsumerMetricsParts
  #standings: readonly Standing[] = []
  #freshUntil = -Infinity

  constructor(meter: Meter, parts: ConsumerMetricsParts) {
    this.#parts = parts
    const gauge = (name: string, help: string, value: (standing: Standing) => number): void => {
      const labels = ['topic', 'consumer_group', 'is_retry', 'is_system']
      meter.observe(name, help, labels, (): readonly Reading[] =>
        this.#now().map((standing) => ({ labels: standing.labels, value: value(standing) })),
      )
    }
    const age = (storedAt: number): number => (storedAt === 0 ? 0 : Math.max(0, parts.clock.now() - storedAt))
    gauge('rocketmq_consumer_lag_messages', 'Messages not acknowledged.', ({ lag }) => lag)
    gauge(
      'rocketmq_consumer_inflight_messages',
      'Messages in the hands of consumers.',
      ({ inFlight }) => inFlight,
    )
    gauge(
      'rocketmq_consumer_ready_messages',
      'Messages that wait for a consumer.',
      ({ lag, inFlight }) => lag - inFlight,
    )
    gauge(
      'rocketmq_consumer_lag_latency',
      'Age of the oldest message that is not acknowledged, ms.',
      ({ oldest }) => age(oldest),
    )
    gauge(
      'rocketmq_consumer_queueing_latency',
      'Age of the oldest message that waits for a consumer, ms.',
      ({ oldestReady }) => age(oldestReady),
    )
  }

  #now(): readonly Standing[] {
    const { gate, clock } = this.#parts
    if (!gate.isOpen) return []
    const now = clock.monotonic()
    if (now >= this.#freshUntil) {
      this.#standings = this.#standingsAt(now)
      this.#freshUntil = now + FRESH_MS
    }
    return this.#standings
  }

  #standingsAt(now: number): readonly Standing[] {
    const standings = new Map<string, Standing>()
    let queuesLeft = QUEUES_MAX
    for (const { group, topic } of this.#pairs()) {
      if (topic === TIMER_TOPIC) continue
      const key = `${group} ${topic}`
      if (standings.has(key)) continue
      const queues = this.#parts.catalog.topic(topic)?.readQueues ?? 0
      queuesLeft -= queues
      if (queuesLeft < 0 || standings.size >= PAIRS_MAX) break
      standings.set(key, this.#standing(group, topic, queues, now))
    }
    return [...standings.values()]
  }

  /** Who asked for messages here, and who ever got some. */
  *#pairs(): Iterable<{ readonly group: string; readonly topic: string }> {
    yield* this.#parts.subscriptions.all()
    yield* this.#parts.book.progress.pairs()
  }

  #standing(group: string, topic: string, queues: number, now: number): Standing {
    const { log, book } = this.#parts
    const labels = { topic, consumer_group: group, is_retry: 'false', is_system: 'false' }
    let lag = 0
    let inFlight = 0
    let oldest = 0
    let oldestReady = 0
    for (let queueId = 0; queueId < queues; queueId += 1) {
      const queue = log.queue(topic, queueId)
      if (queue === undefined) continue
      const { minOffset, maxOffset } = queue
      const progress = book.progress.queue(group, topic, queueId)
      const unacked = progress.unacked(minOffset, maxOffset)
      if (unacked === 0) continue
      lag += unacked
      inFlight += Math.min(unacked, progress.invisibleCount(now))
      const at = (offset: QueueOffset | undefined): number => this.#storedAt(topic, queueId, offset)
      oldest = earlier(oldest, at(progress.firstUnacked(minOffset)))
      oldestReady = earlier(oldestReady, at(progress.candidate(minOffset, maxOffset, now)))
    }
    return { labels, lag, inFlight, oldest, oldestReady }
  }

  /** 0: there is no such message, or it cannot be read now. */
  #storedAt(topic: string, queueId: number, queueOffset: QueueOffset | undefined): number {
    if (queueOffset === undefined) return 0
    const { log } = this.#parts
    try {
      const unit = log.queue(topic, queueId)?.unit(queueOffset)
      return unit === undefined ? 0 : log.record(unit.offset, unit.size).storeTimestamp
    } catch {
      return 0
    }
  }
}

/** The earlier of two times, of which 0 is none. */
function earlier(a: number, b: number): number {
  if (a === 0 || b === 0) return a + b
  return Math.min(a, b)
}
