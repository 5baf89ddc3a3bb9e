import { BrokerError, type Clock, type QueueOffset } from '@tandemmq/base'
import { Alarm } from './alarm.ts'
import type { ProgressBook } from './progress-book.ts'
import type { DeliveryQueue, Hold } from './delivery-queue.ts'
import { HELD_INVISIBLE_MS } from './invisibility.ts'
import type { RenewingClients } from './renewing-clients.ts'
import type { ServingGate } from './serving.ts'
import type { Subscriptions } from './subscription.ts'

/** So long before its end a lease is prolonged. */
const RENEW_AHEAD_MS = 20_000
/** Nothing is held longer than this after its delivery (Apache's proxy: `renewMaxTimeMillis`). */
const HOLD_MAX_MS = 3 * 60 * 60 * 1000
/** What a client held becomes visible so long after it is gone. */
const RELEASE_MS = 1000
/** Renewals that are due this close to each other are made together. */
const TOGETHER_MS = 1000
/** After a renewal that could not be written down, because the disk is full for instance. */
const PAUSE_MS = 1000

export interface HeldLeasesParts {
  readonly book: ProgressBook
  readonly clock: Clock
  readonly clients: RenewingClients
  readonly subscriptions: Subscriptions
  readonly gate: ServingGate
  /** Invisible messages of this queue become visible earlier or later than before. */
  readonly changed: (queue: DeliveryQueue) => void
  /** Invisible messages of this queue stay so for longer than before. */
  readonly prolonged: (queue: DeliveryQueue) => void
}

/**
 * Keeps what was delivered under auto-renew invisible while its client lives: the client keeps its first handle and does nothing.
 * One timer, armed for the earliest renewal.
 */
export class HeldLeases {
  readonly #parts: HeldLeasesParts
  readonly #alarm: Alarm
  #nextAt = Infinity
  #servingEpoch = 0

  constructor(parts: HeldLeasesParts) {
    this.#parts = parts
    this.#alarm = new Alarm(parts.clock, () => this.#renewDue())
  }

  /** These messages were just delivered to `clientId` with {@link HELD_INVISIBLE_MS}. */
  hold(queue: DeliveryQueue, offsets: Iterable<QueueOffset>, clientId: string, servingEpoch: number): void {
    this.#servingEpoch = servingEpoch
    const since = this.#parts.clock.monotonic()
    const hold: Hold = { clientId, since, renewAt: since + HELD_INVISIBLE_MS - RENEW_AHEAD_MS }
    for (const offset of offsets) this.#keep(queue, offset, hold)
    this.#armFor(hold.renewAt)
  }

  /** The client is gone: what it holds in this group becomes visible within a second. */
  release(clientId: string, group: string): void {
    const { clock, subscriptions, changed, gate } = this.#parts
    const isServing = gate.isOpen
    const soon = clock.monotonic() + RELEASE_MS
    for (const subscription of subscriptions.ofGroup(group)) {
      for (const queue of subscription.queues()) {
        const gone = [...queue.held].filter(([, hold]) => hold.clientId === clientId)
        for (const [offset, hold] of gone) {
          queue.held.delete(offset)
          if (isServing && (this.#liveUntil(queue, offset, hold) ?? 0) > soon)
            this.#prolong(queue, offset, RELEASE_MS)
        }
        if (gone.length > 0) changed(queue)
      }
    }
  }

  /** A scheduled message was put into its topic: what is held for its client is another record from now on. */
  move(from: DeliveryQueue, offset: QueueOffset, to: DeliveryQueue, toOffset: QueueOffset): void {
    const hold = from.held.get(offset)
    if (hold === undefined) return
    from.held.delete(offset)
    const later = [...to.held].filter(([, { renewAt }]) => renewAt > hold.renewAt)
    this.#keep(to, toOffset, hold)
    for (const [each, its] of later) this.#keep(to, each, its) // They stay in the order of their renewals.
    this.#armFor(hold.renewAt)
  }

  /** Serving has ended here: whoever serves now lets the leases end by themselves. */
  clear(): void {
    for (const subscription of this.#parts.subscriptions.all()) {
      for (const queue of subscription.queues()) queue.held.clear()
    }
    this.#armAfresh(Infinity)
  }

  #renewDue(): void {
    const { subscriptions, clock, gate } = this.#parts
    if (!gate.isOpen) {
      this.clear() // Whoever serves now decides.
      return
    }
    const until = clock.monotonic() + TOGETHER_MS
    let earliest = Infinity
    let areAllWritten = true
    for (const subscription of subscriptions.all()) {
      for (const queue of subscription.queues()) {
        areAllWritten &&= this.#renewIn(queue, until)
        const [first] = queue.held.values()
        if (first) earliest = Math.min(earliest, first.renewAt)
      }
    }
    this.#armAfresh(areAllWritten ? earliest : clock.monotonic() + PAUSE_MS)
  }

  /** False: a renewal could not be written down. It and those behind it are as they were, and tried again. */
  #renewIn(queue: DeliveryQueue, until: number): boolean {
    const { clock, clients, changed, prolonged } = this.#parts
    const now = clock.monotonic()
    const renewed = new Map<Hold, Hold>()
    let isChanged = false
    let isWritten = true
    // What is renewed moves to the end of the map, so this ends with the first that is not due.
    for (const [offset, hold] of queue.held) {
      if (hold.renewAt > until) break
      const isLive = this.#liveUntil(queue, offset, hold) !== undefined
      const isWanted = clients.has(hold.clientId, queue.group) && now - hold.since < HOLD_MAX_MS
      if (!isLive || !isWanted) {
        queue.held.delete(offset)
        continue
      }
      isWritten = this.#prolong(queue, offset, HELD_INVISIBLE_MS)
      if (!isWritten) break
      let next = renewed.get(hold)
      if (next === undefined) {
        next = { ...hold, renewAt: now + HELD_INVISIBLE_MS - RENEW_AHEAD_MS }
        renewed.set(hold, next)
      }
      this.#keep(queue, offset, next)
      isChanged = true
    }
    if (isChanged) {
      changed(queue)
      prolonged(queue)
    }
    return isWritten
  }

  #keep(queue: DeliveryQueue, offset: QueueOffset, hold: Hold): void {
    queue.held.delete(offset) // A map keeps the place of what it knows; this one goes to the end.
    queue.held.set(offset, hold)
  }

  /** Until when the delivery is invisible; `undefined` once it is acknowledged or over. */
  #liveUntil(queue: DeliveryQueue, offset: QueueOffset, hold: Hold): number | undefined {
    const { book, clock } = this.#parts
    const lease = book.progress.queue(queue.group, queue.topic, queue.queueId).lease(offset)
    const isLive = lease !== undefined && lease.invisibleUntil > Math.max(hold.since, clock.monotonic())
    return isLive ? lease.invisibleUntil : undefined
  }

  /** False: that could not be written down, so the lease ends as it would have. */
  #prolong(queue: DeliveryQueue, queueOffset: QueueOffset, invisibleMs: number): boolean {
    const { book, clock } = this.#parts
    const { group, topic, queueId } = queue
    const lease = book.progress.queue(group, topic, queueId).lease(queueOffset)
    if (lease === undefined) return true
    const delivery = {
      queueOffset,
      stamp: lease.stamp,
      attempt: lease.attempt,
      deliveredAt: clock.now(),
      invisibleMs,
    }
    try {
      book.commit({ kind: 'visibility', group, topic, queueId, servingEpoch: this.#servingEpoch, delivery })
      return true
    } catch (cause) {
      if (!(cause instanceof BrokerError)) throw cause
      return false
    }
  }

  #armFor(at: number): void {
    if (at < this.#nextAt) this.#armAfresh(at)
  }

  #armAfresh(at: number): void {
    this.#nextAt = at
    this.#alarm.setFor(at === Infinity ? undefined : at)
  }
}
