import { DeliveryQueue } from './delivery-queue.ts'
import { DueOfGroup, type DueList } from './due-timers.ts'

/** One group on one topic, as far as this process hands out messages to it. */
export class Subscription {
  readonly group: string
  readonly topic: string
  /** The queue at which the next receive begins, so that no queue is always last. */
  #first = 0
  readonly #queues = new Map<number, DeliveryQueue>()
  #due: DueOfGroup | undefined

  constructor(group: string, topic: string) {
    this.group = group
    this.topic = topic
  }

  queue(queueId: number): DeliveryQueue {
    const known = this.#queues.get(queueId)
    if (known) return known
    const queue = new DeliveryQueue(this.group, this.topic, queueId)
    this.#queues.set(queueId, queue)
    return queue
  }

  /** What of the due messages of its topic the group is not done with. */
  dueIn(list: DueList): DueOfGroup {
    if (this.#due?.list !== list) this.#due = new DueOfGroup(list)
    return this.#due
  }

  queues(): Iterable<DeliveryQueue> {
    return this.#queues.values()
  }

  /** All of the topic's queues, starting with another one each time, or with `begin`. */
  *inTurn(readQueues: number, begin?: DeliveryQueue): Iterable<DeliveryQueue> {
    if (begin !== undefined) this.#first = begin.queueId
    const first = this.#first % readQueues
    this.#first = (first + 1) % readQueues
    for (let step = 0; step < readQueues; step += 1) yield this.queue((first + step) % readQueues)
  }
}

/** All of them, by group and topic. */
export class Subscriptions {
  readonly #groups = new Map<string, Map<string, Subscription>>()

  obtain(group: string, topic: string): Subscription {
    let topics = this.#groups.get(group)
    if (topics === undefined) {
      topics = new Map()
      this.#groups.set(group, topics)
    }
    let subscription = topics.get(topic)
    if (subscription === undefined) {
      subscription = new Subscription(group, topic)
      topics.set(topic, subscription)
    }
    return subscription
  }

  ofGroup(group: string): Iterable<Subscription> {
    return this.#groups.get(group)?.values() ?? []
  }

  *all(): Iterable<Subscription> {
    for (const topics of this.#groups.values()) yield* topics.values()
  }

  clear(): void {
    this.#groups.clear()
  }
}
