import type { DeliveredMessage } from '@tandemmq/messaging'
import type { BrokerNode } from './broker-node.ts'
import type { Witness } from './client-calls.ts'
import type { Cluster } from './cluster.ts'
import type { Misfortunes } from './misfortunes.ts'
import type { WatchedWays } from './watched-ways.ts'

/** A watcher may write down so long after it is counted what it is told, ms. */
const WRITTEN_LATE_MS = 100
/** Clocks are read in whole milliseconds. */
const ROUNDING_MS = 2

/** Somebody who must know of a delivery. */
interface Knower {
  readonly since: number
  readonly process: object | undefined
  /** It held the messages then: what it knows is in its journal, not only in its memory. */
  readonly hasRecords: boolean
}

/** A batch of one queue that a consumer has, with what of it nobody has tried to acknowledge yet, by queue offset. */
interface Batch {
  readonly queueId: number
  readonly by: string
  readonly at: number
  readonly until: number
  readonly open: Map<number, DeliveredMessage>
  readonly knowers: Map<string, Knower>
}

/** One message of a batch, to be acknowledged. */
export interface Held {
  readonly receiptHandle: string
  settle(): void
}

export interface OrderWatchParts {
  readonly cluster: Cluster
  readonly misfortunes: Misfortunes
  readonly ways: WatchedWays
  readonly violate: (words: string) => void
}

/**
 * Watches one group that wants its messages in order: while a consumer has a batch of a queue, nobody else gets anything of it, from whoever
 * delivered it or must know that it was delivered (rule 5.8).
 */
export class OrderWatch {
  readonly #parts: OrderWatchParts
  #batches: Batch[] = []
  /** Bodies of messages of which an acknowledgement has left, be it of an earlier delivery: it may be taken at any time. */
  readonly #settled = new Set<string>()
  #delivered = 0
  #known = 0
  #lastAt = 0
  /** Some log has let go of everything below. */
  #expired = 0

  constructor(parts: OrderWatchParts) {
    this.#parts = parts
  }

  /** How many batches. */
  get delivered(): number {
    return this.#delivered
  }

  /** For people. */
  get summary(): string {
    return `in order ${this.#delivered} batches, ${this.#known} of them known to a slave`
  }

  /** When something was delivered last, ms. */
  get lastAt(): number {
    return this.#lastAt
  }

  /** A consumer was given these. Returns what it holds now. */
  given(messages: readonly DeliveredMessage[], witness: Witness, invisibleMs: number): readonly Held[] {
    this.#lastAt = witness.at
    const begins = this.#parts.cluster.brokers.map(({ broker }) => broker?.store.minOffset ?? 0)
    this.#expired = Math.max(this.#expired, ...begins)
    this.#batches = this.#batches.filter(({ until }) => until > witness.at)
    // What a slave hands out of scheduled messages is a queue of its own, until the master puts them where they belong (rule 5.6).
    const due = messages.filter(({ place }) => place !== undefined)
    const inQueues = messages.filter(({ place }) => place === undefined)
    const queues = new Set(inQueues.map(({ record }) => record.queueId))
    for (const queueId of queues) this.#judge(queueId, witness)
    const held = [...queues].flatMap((queueId) => {
      const batch = this.#batch(queueId, witness, invisibleMs)
      const own = inQueues.filter(({ record }) => record.queueId === queueId)
      for (const message of own) {
        if (!this.#settled.has(bodyOf(message))) batch.open.set(message.record.queueOffset, message)
      }
      this.#tell(batch)
      this.#batches.push(batch)
      this.#delivered += 1
      if (batch.knowers.size > 1) this.#known += 1
      return own.map((message) => this.#held(message))
    })
    return [...held, ...due.map((message) => this.#held(message))]
  }

  /** One has handed to another all that it knew at that moment (monotonic, ms). */
  handedOver(from: string, to: string, knownAt: number): void {
    const target = this.#parts.cluster.broker(to)
    if (target === undefined) return
    for (const batch of this.#batches) {
      if (batch.at <= knownAt && this.#knows(batch, from)) this.#learns(batch, target)
    }
  }

  #held(message: DeliveredMessage): Held {
    const settle = (): void => void this.#settled.add(bodyOf(message))
    return { receiptHandle: message.receiptHandle, settle }
  }

  #batch(queueId: number, { by, at }: Witness, invisibleMs: number): Batch {
    return { queueId, by, at, until: at + invisibleMs, open: new Map(), knowers: new Map() }
  }

  /** Who knows of it from the beginning. */
  #tell(batch: Batch): void {
    const { cluster, ways } = this.#parts
    const node = cluster.broker(batch.by)
    if (node === undefined) return
    this.#learns(batch, node)
    for (const watcher of ways.watchersOf(node)) this.#learns(batch, watcher)
  }

  #learns(batch: Batch, node: BrokerNode): void {
    const { time } = this.#parts.cluster
    const hasRecords = [...batch.open.values()].every((message) => isIn(node, message))
    batch.knowers.set(node.name, { since: time.monotonic(), process: node.process, hasRecords })
  }

  #knows(batch: Batch, name: string): boolean {
    const knower = batch.knowers.get(name)
    if (knower === undefined) return false
    if (knower.process === this.#parts.cluster.broker(name)?.process) return true
    const isLost = this.#parts.misfortunes.powerCuts.some(
      ({ who, at, unsyncedSince }) =>
        who === name && at >= batch.at && unsyncedSince <= knower.since + WRITTEN_LATE_MS,
    )
    return knower.hasRecords && !isLost
  }

  #judge(queueId: number, { by, at }: Witness): void {
    const node = this.#parts.cluster.broker(by)
    for (const batch of this.#batches) {
      // Who reads in a journal of a lease goes by the wall clock.
      const until = batch.until - this.#parts.misfortunes.jumpedMs
      if (batch.queueId !== queueId || until <= at + ROUNDING_MS || !this.#knows(batch, by)) continue
      // What has expired, or went with the end of a log, closes nothing.
      const offsets = [...batch.open].flatMap(([offset, message]) =>
        node !== undefined && this.#isKept(node, message) && !this.#settled.has(bodyOf(message))
          ? offset
          : [],
      )
      if (offsets.length === 0) continue
      this.#parts.violate(
        `out of order: ${by} delivered of queue ${queueId} at ${at} ms, while ${offsets.join(', ')} were held since ${batch.at} ms (by ${batch.by}), until ${batch.until} ms`,
      )
    }
  }

  /** Where one log has let it expire, what was known of it went too, and came from there. */
  #isKept(node: BrokerNode, message: DeliveredMessage): boolean {
    return isIn(node, message) && message.record.physicalOffset >= this.#expired
  }
}

function bodyOf({ record }: DeliveredMessage): string {
  return record.body.toString()
}

/** Whether the log of this broker holds that very message at its place. */
function isIn({ broker }: BrokerNode, { record }: DeliveredMessage): boolean {
  const queue = broker?.store.queue(record.topic, record.queueId)
  if (broker === undefined || queue === undefined || record.queueOffset < queue.minOffset) return false
  const unit = queue.unit(record.queueOffset)
  if (unit?.offset !== record.physicalOffset || unit.offset < broker.store.minOffset) return false
  return broker.store.record(unit.offset, unit.size).body.equals(record.body)
}
