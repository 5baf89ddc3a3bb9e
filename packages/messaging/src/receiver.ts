import { BrokerError, type Clock, type LogOffset } from '@tandemmq/base'
import type { CallContext, DeliveredMessage, ReceiveAnswer, ReceiveRequest } from './api.ts'
import { isReadable, type Catalog, type GroupView, type TopicView } from './catalog.ts'
import type { ProgressBook } from './progress-book.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { DueTimers } from './due-timers.ts'
import type { Handout } from './handout.ts'
import type { LeaseWitnesses } from './lease-witnesses.ts'
import type { Arrival, MessageLog, RecordPlace, VisibleEnd } from './message-log.ts'
import type { Offer, OrderlyOffers } from './orderly-offers.ts'
import type { OrderlyTake } from './orderly-take.ts'
import { Poll } from './poll.ts'
import type { Find, QueueScan, ScanTerms } from './queue-scan.ts'
import type { RenewingClients } from './renewing-clients.ts'
import { ScanBudget } from './scan-budget.ts'
import type { ServingGate } from './serving.ts'
import type { Subscriptions } from './subscription.ts'
import { TagFilter } from './tag-filter.ts'
import { TIMER_QUEUE_ID, TIMER_TOPIC } from './timer-record.ts'
import { WaitingPolls } from './waiting-polls.ts'
import { WakeUps } from './wake-ups.ts'

/** Apache's limit of messages in one receive. */
const BATCH_MAX = 32

export interface ReceiverParts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly catalog: Catalog
  readonly visible: VisibleEnd
  readonly gate: ServingGate
  readonly scan: QueueScan
  readonly orderly: OrderlyTake
  readonly offers: OrderlyOffers
  readonly witnesses: LeaseWitnesses
  readonly handout: Handout
  readonly clients: RenewingClients
  readonly subscriptions: Subscriptions
  readonly dueTimers: DueTimers
  readonly clock: Clock
}

/** What a receive that got nothing waits for. */
interface Waiting {
  hiddenUntil: LogOffset | undefined
  nextVisibleAt: number | undefined
  isTired: boolean
  /** Before anything else: records on file. */
  cold: { readonly queue: DeliveryQueue; readonly places: readonly RecordPlace[] } | undefined
  /** Before anything else: what others have to know of (rule 5.8). */
  offers: readonly Offer[]
}

/** Answers receives: from what is there, or by waiting for it. */
export class Receiver {
  readonly #parts: ReceiverParts
  readonly #polls = new WaitingPolls()
  readonly #wakeUps: WakeUps

  constructor(parts: ReceiverParts) {
    this.#parts = parts
    this.#wakeUps = new WakeUps(parts.clock, parts.visible, (topic, group) => this.#look(topic, group))
  }

  /** Receives that wait at present. */
  get waiting(): number {
    return this.#polls.size
  }

  async receive(request: ReceiveRequest, context: CallContext): Promise<ReceiveAnswer> {
    const poll = this.#poll(request, context)
    let waiting = this.#take(poll)
    while (waiting !== undefined && isUnderWay(waiting)) {
      if (waiting.offers.length > 0) {
        if (await this.#offer(poll, waiting.offers)) return poll.answer
      } else if (waiting.cold !== undefined) await this.#warm(poll, waiting.cold)
      context.signal.throwIfAborted()
      waiting = this.#take(poll) // Everything is asked again: who serves, what is leased, what is still there.
    }
    if (waiting) this.#park(poll, waiting)
    return poll.answer
  }

  arrived({ topic, offset, size }: Arrival): void {
    if (this.#polls.hasTopic(topic)) this.#wakeUps.whenVisible(topic, offset + size)
  }

  /** Something that was invisible for this group may be visible now, or later than before. */
  changed({ topic, group }: Pick<DeliveryQueue, 'topic' | 'group'>): void {
    if (topic !== TIMER_TOPIC) return this.#wakeUps.group(topic, group)
    for (const pair of this.#polls.pairs()) if (pair.group === group) this.#wakeUps.group(pair.topic, group)
  }

  /** Scheduled messages of this topic are due, and handed out here (rule 5.6). */
  dueIn(topic: string): void {
    if (this.#polls.hasTopic(topic)) this.#wakeUps.topic(topic)
  }

  /** Ends all polls: somebody else serves. */
  endAll(reason: BrokerError): void {
    this.#parts.offers.withdrawAll()
    for (const poll of this.#polls.takeAll()) poll.fail(reason)
  }

  close(): void {
    this.endAll(this.#parts.gate.refusal())
    this.#wakeUps.close()
  }

  #poll(request: ReceiveRequest, context: CallContext): Poll {
    const { gate, clients, subscriptions } = this.#parts
    gate.check(context)
    context.signal.throwIfAborted()
    if (!(request.batchSize >= 1)) throw new BrokerError('ILLEGAL_ARGUMENT', 'the batch size is at least 1')
    this.#topic(request.topic)
    const group = this.#group(request.group)
    if (request.autoRenew) clients.add(context.clientId, request.group)
    const subscription = subscriptions.obtain(request.group, request.topic)
    return new Poll(request, context, subscription, group, new TagFilter(request.filter))
  }

  #topic(name: string): TopicView {
    const topic = this.#parts.catalog.topic(name)
    if (!topic) throw new BrokerError('TOPIC_NOT_FOUND', `no such topic: ${name}`, { facts: { topic: name } })
    if (isReadable(topic)) return topic
    throw new BrokerError('NO_READABLE_BROKER', `the topic ${name} has no readable queue`, {
      facts: { topic: name },
    })
  }

  #group(name: string): GroupView {
    const { catalog } = this.#parts
    const group = catalog.group(name) ?? catalog.createGroup(name)
    if (!group) throw new BrokerError('GROUP_NOT_FOUND', `no such group: ${name}`, { facts: { group: name } })
    if (group.consumeEnabled) return group
    throw new BrokerError('UNAVAILABLE', `consuming is switched off for the group ${name}`, {
      facts: { group: name },
    })
  }

  #park(poll: Poll, waiting: Waiting): void {
    const { clock } = this.#parts
    const { pollMs } = poll.request
    const { deadline } = poll.context
    const holdMs = deadline === undefined ? pollMs : Math.min(pollMs, deadline - clock.monotonic())
    if (!(holdMs > 0)) {
      this.#endEmpty(poll)
      return
    }
    this.#polls.add(poll)
    const timer = clock.after(holdMs, () => {
      this.#polls.remove(poll)
      this.#endEmpty(poll)
    })
    poll.begin(timer, () => {
      this.#polls.remove(poll)
      poll.fail(poll.context.signal.reason)
    })
    this.#await(poll, waiting)
  }

  /** Nothing came; that too is for the token's holder to say. */
  #endEmpty(poll: Poll): void {
    try {
      this.#parts.gate.check(poll.context)
      poll.end({ messages: [], filteredOnly: poll.filteredOnly })
    } catch (reason) {
      poll.fail(reason)
    }
  }

  #await({ subscription: { topic, group } }: Poll, waiting: Waiting): void {
    if (waiting.hiddenUntil !== undefined) this.#wakeUps.whenVisible(topic, waiting.hiddenUntil)
    if (waiting.nextVisibleAt !== undefined) this.#wakeUps.whenExpired(topic, group, waiting.nextVisibleAt)
    if (waiting.isTired) this.#parts.clock.after(0, () => this.#wakeUps.group(topic, group))
  }

  #look(topic: string, group: string | undefined): void {
    if (group === undefined) for (const each of this.#polls.groupsOf(topic)) this.#serve(topic, each)
    else this.#serve(topic, group)
  }

  /** The longest waiting first, until there is nothing left. */
  #serve(topic: string, group: string): void {
    for (const poll of this.#polls.of(topic, group)) {
      if (poll.isWarming) return
      if (poll.isOffered) continue
      try {
        const waiting = this.#take(poll)
        if (waiting !== undefined && waiting.offers.length > 0) {
          void this.#offerParked(poll, waiting.offers)
          continue
        }
        if (waiting?.cold !== undefined) {
          void this.#warm(poll, waiting.cold).then(() => this.#serve(topic, group))
          return
        }
        if (waiting) {
          this.#await(poll, waiting)
          return
        }
      } catch (reason) {
        poll.fail(reason)
      }
      this.#polls.remove(poll)
    }
  }

  /** For a receive that has got nothing yet. */
  async #warm(poll: Poll, { queue, places }: NonNullable<Waiting['cold']>): Promise<void> {
    poll.isWarming = true
    const warmed = await this.#parts.log.warm(places)
    poll.isWarming = false
    for (const { offset } of warmed) poll.warmed.add(offset)
    poll.warmedOf = queue
  }

  /** Answers the poll with what is offered, once those who have to know of it do. False: it was not made, and is there to be had again. */
  async #offer(poll: Poll, made: readonly Offer[]): Promise<boolean> {
    const { gate, handout, offers, witnesses } = this.#parts
    poll.isOffered = true
    const isKnown = await witnesses.acknowledged()
    poll.isOffered = false
    const messages: DeliveredMessage[] = []
    try {
      if (!isKnown || poll.isOver || poll.context.signal.aborted) return poll.isOver
      const servingEpoch = gate.check(poll.context)
      for (const offer of made) {
        if (!offers.isGood(offer, servingEpoch)) continue
        const { queue, candidates } = offer
        messages.push(...handout.give(queue, candidates, poll.request, poll.context.clientId, servingEpoch))
        offers.made(offer)
      }
    } catch (cause) {
      if (messages.length === 0) throw cause
    } finally {
      for (const offer of made) offers.withdraw(offer)
    }
    if (messages.length === 0) return false
    poll.end({ messages, filteredOnly: false })
    return true
  }

  async #offerParked(poll: Poll, offers: readonly Offer[]): Promise<void> {
    try {
      if (!(await this.#offer(poll, offers))) return // It waits on, and is woken: the queue has changed.
    } catch (reason) {
      poll.fail(reason)
    }
    this.#polls.remove(poll)
  }

  /**
   * Hands out what is there and answers the poll; otherwise says what to wait for. No await inside: the token is asked in the tick
   * in which the leases are written and the answer leaves (rules 4.1, 4.3).
   */
  #take(poll: Poll): Waiting | undefined {
    const { gate, handout, log, witnesses } = this.#parts
    const servingEpoch = gate.check(poll.context)
    const topic = this.#topic(poll.request.topic)
    const budget = new ScanBudget(Math.min(poll.request.batchSize, BATCH_MAX))
    const { filter, warmed } = poll
    const terms = { filter, budget, warmed, attemptsMax: poll.group.retryMaxTimes + 1 }
    const messages: DeliveredMessage[] = []
    const offers: Offer[] = []
    const isAnnounced = poll.group.orderly && witnesses.arePresent
    const waiting: Waiting = {
      hiddenUntil: undefined,
      nextVisibleAt: undefined,
      isTired: false,
      cold: undefined,
      offers,
    }
    const begin = poll.warmedOf
    poll.warmedOf = undefined
    try {
      for (const queue of this.#queuesOf(poll, topic, begin)) {
        const find = this.#find(poll, queue, servingEpoch, terms)
        if (find.filtered.length > 0) this.#filterOut(poll, queue, find)
        const { candidates } = find
        if (!isAnnounced)
          messages.push(...handout.give(queue, candidates, poll.request, poll.context.clientId, servingEpoch))
        else if (candidates.length > 0)
          offers.push(this.#parts.offers.announce(queue, candidates, poll.request, servingEpoch))
        const hasNone = messages.length + offers.length === 0
        if (find.cold.length > 0) {
          if (hasNone) waiting.cold = { queue, places: find.cold }
          else void log.warm(find.cold) // For the next receive.
          break
        }
        if (budget.isSpent) break
        if (hasNone) this.#note(waiting, queue, find)
      }
    } catch (cause) {
      // What is leased already must leave: nobody else will see it while this client lives.
      if (messages.length + offers.length === 0) throw cause
    }
    if (messages.length > 0) {
      poll.end({ messages, filteredOnly: false })
      return undefined
    }
    if (offers.length > 0) return waiting
    if (waiting.cold === undefined) warmed.clear()
    waiting.isTired = budget.isTired
    return waiting
  }

  /** What is due first: it has waited, and is no more than it is. */
  *#queuesOf({ subscription }: Poll, topic: TopicView, begin?: DeliveryQueue): Iterable<DeliveryQueue> {
    const { dueTimers, subscriptions } = this.#parts
    if (dueTimers.of(topic.name) !== undefined) {
      yield subscriptions.obtain(subscription.group, TIMER_TOPIC).queue(TIMER_QUEUE_ID)
    }
    yield* subscription.inTurn(topic.readQueues, begin?.topic === topic.name ? begin : undefined)
  }

  #find(poll: Poll, queue: DeliveryQueue, servingEpoch: number, terms: ScanTerms): Find {
    const { scan, orderly, dueTimers } = this.#parts
    if (queue.topic === TIMER_TOPIC) {
      const due = poll.subscription.dueIn(dueTimers.of(poll.subscription.topic) ?? [])
      return scan.due(queue, due, poll.group.orderly, terms)
    }
    return poll.group.orderly
      ? orderly.take(queue, poll.request.attemptId, servingEpoch, terms)
      : scan.unordered(queue, terms)
  }

  /** What a consumer did not want is settled for its group: subscriptions inside a group are taken to be the same. */
  #filterOut(poll: Poll, { group, topic, queueId }: DeliveryQueue, { filtered }: Find): void {
    poll.filteredOnly = true
    this.#parts.book.commit({ kind: 'ack', group, topic, queueId, records: filtered })
  }

  #note(waiting: Waiting, { group, topic, queueId }: DeliveryQueue, { hiddenUntil }: Find): void {
    const { book, clock } = this.#parts
    if (hiddenUntil !== undefined)
      waiting.hiddenUntil = Math.min(waiting.hiddenUntil ?? Infinity, hiddenUntil)
    const at = book.progress.queue(group, topic, queueId).nextVisibleAt(clock.monotonic())
    if (at !== undefined) waiting.nextVisibleAt = Math.min(waiting.nextVisibleAt ?? Infinity, at)
  }
}

/** Something has to be done before there can be an answer. */
function isUnderWay({ offers, cold }: Waiting): boolean {
  return offers.length > 0 || cold !== undefined
}
