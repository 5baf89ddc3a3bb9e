import type { KeyObject } from 'node:crypto'
import { messageOf, type Clock, type Logger, type Meter, type QueueOffset } from '@tandemmq/base'
import type {
  AckEntry,
  AckStatus,
  CallContext,
  MessagingApi,
  OutgoingMessage,
  ReceiveAnswer,
  ReceiveRequest,
  SendReceipt,
} from './api.ts'
import type { Catalog } from './catalog.ts'
import { ConsumerMetrics } from './consumer-metrics.ts'
import type { ProgressBook } from './progress-book.ts'
import { DeadLetters } from './dead-letters.ts'
import { DueTimers } from './due-timers.ts'
import type { Durability, InternalWriting } from './durability.ts'
import { Handout } from './handout.ts'
import { HeldLeases } from './held-leases.ts'
import { InternalEffects } from './internal-effects.ts'
import { InternalMarks } from './internal-marks.ts'
import { lateMoves } from './late-moves.ts'
import type { LeaseWitnesses } from './lease-witnesses.ts'
import type { MessageLog, VisibleEnd } from './message-log.ts'
import { MessageMetrics } from './message-metrics.ts'
import { MovedTimers } from './moved-timers.ts'
import { OrderlyOffers } from './orderly-offers.ts'
import { OrderlyTake } from './orderly-take.ts'
import { defaultLimits, type OutgoingLimits } from './outgoing-limits.ts'
import { OutgoingRecords } from './outgoing-record.ts'
import { QueueScan } from './queue-scan.ts'
import { ReceiptJudge } from './receipt-judge.ts'
import { Receipts } from './receipts.ts'
import { Receiver } from './receiver.ts'
import { RenewingClients } from './renewing-clients.ts'
import { Sender } from './sender.ts'
import { ServingGate, type ServingToken } from './serving.ts'
import { Subscriptions } from './subscription.ts'
import { TIMER_QUEUE_ID, TIMER_TOPIC } from './timer-record.ts'
import { TimerService, type TimerDuty } from './timer-service.ts'

export interface MessagingOptions {
  readonly cluster: string
  /** The broker set (`brokerName`), written into every receipt handle. */
  readonly set: string
  /** Apache's `regionId`; default `DefaultRegion`. */
  readonly region?: string
  /** Shared by the brokers of the set: what one delivered, another can take the acknowledgement of. */
  readonly handleKey: KeyObject
  /** Scheduled messages kept in memory (up to twice as many for moments); the rest waits on disk. Default 100,000. */
  readonly timersInMemory?: number
  readonly limits?: Partial<OutgoingLimits>
}

/** What messaging stands on. Small ports, so that each can be a fake. */
export interface MessagingPorts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly catalog: Catalog
  readonly durability: Durability
  readonly visible: VisibleEnd
  readonly serving: ServingToken
  readonly witnesses: LeaseWitnesses
  readonly writing: InternalWriting
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
}

/** RocketMQ's semantics over a log and a table of progress: the client-facing half of one broker, whatever its role. */
export class Messaging implements MessagingApi {
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #receipts: Receipts
  readonly #held: HeldLeases
  readonly #clients = new RenewingClients()
  readonly #gate: ServingGate
  readonly #witnesses: LeaseWitnesses
  readonly #effects: InternalEffects
  readonly #timers: TimerService
  readonly #marks: InternalMarks
  readonly #movedTimers: MovedTimers
  readonly #ports: MessagingPorts
  readonly #stopListening: () => void

  constructor(options: MessagingOptions, ports: MessagingPorts) {
    const { log, book, catalog, visible, clock, logger, writing, witnesses } = ports
    const { handleKey, set, cluster, region = 'DefaultRegion' } = options
    const metrics = new MessageMetrics(ports.meter)
    const subscriptions = new Subscriptions()
    const clients = this.#clients
    const gate = new ServingGate(ports.serving)
    const effects = new InternalEffects(log, visible, clock)
    const changed = (queue: { readonly group: string; readonly topic: string }): void =>
      this.#receiver.changed(queue)

    const prolonged = ({ group }: { readonly group: string }): void => {
      // Nobody waits for this one, it is made long before it matters; but who does not take it follows no longer (rule 5.8).
      if (witnesses.arePresent && catalog.group(group)?.orderly === true) void witnesses.acknowledged()
    }
    const held = new HeldLeases({ book, clock, clients, subscriptions, gate, changed, prolonged })
    const movedTimers = new MovedTimers({ log, book, held, subscriptions })
    const dueTimers = new DueTimers()
    const marks = new InternalMarks({
      log,
      book,
      effects,
      subscriptions,
      movedTimers,
      moved: (group, topic) => changed({ group, topic }),
      delivered: (mark) => this.#timers.done(mark),
    })
    const deadLetters = new DeadLetters({
      log,
      catalog,
      writing,
      metrics,
      clock,
      logger,
      copied: (group, mark, write, end) => marks.copied(group, mark, write, end),
    })
    const scan = new QueueScan({ log, book, visible, deadLetters, writing, clock, logger })
    const orderly = new OrderlyTake(scan, log, book, clock)
    const offers = new OrderlyOffers({ book, clock, changed })
    const handout = new Handout({ book, held, metrics, clock, set, handleKey })
    const judge = new ReceiptJudge({
      log,
      book,
      clients,
      subscriptions,
      movedTimers,
      metrics,
      clock,
      handleKey,
    })

    this.#ports = ports
    this.#marks = marks
    this.#movedTimers = movedTimers
    this.#gate = gate
    this.#witnesses = witnesses
    this.#effects = effects
    this.#held = held
    this.#sender = new Sender({
      catalog,
      log,
      durability: ports.durability,
      records: new OutgoingRecords({ cluster, region }),
      metrics,
      clock,
      limits: { ...defaultLimits, ...options.limits },
    })
    this.#receiver = new Receiver({
      log,
      book,
      catalog,
      visible,
      gate,
      scan,
      orderly,
      offers,
      witnesses,
      handout,
      clients,
      subscriptions,
      dueTimers,
      clock,
    })
    this.#receipts = new Receipts({ log, book, catalog, gate, judge, deadLetters, clock, handleKey, changed })
    this.#timers = new TimerService(
      {
        log,
        book,
        catalog,
        writing,
        metrics,
        clock,
        logger,
        found: (reput) => marks.delivered(reput),
        dueTimers,
        offered: (topic) => this.#receiver.dueIn(topic),
      },
      options.timersInMemory,
    )
    this.#stopListening = log.onDispatched((arrival) => {
      marks.arrived(arrival)
      this.#timers.arrived(arrival)
      this.#receiver.arrived(arrival)
    })
    void new ConsumerMetrics(ports.meter, { log, book, catalog, gate, subscriptions, clock })
    ports.meter.observe('rocketmq_ha_polls_waiting', 'Receives that wait for a message.', [], () => [
      { value: this.#receiver.waiting },
    ])
    ports.meter.observe('rocketmq_ha_timers_waiting', 'Scheduled messages in memory.', [], () => [
      { value: this.#timers.waiting },
    ])
  }

  send(message: OutgoingMessage, context: CallContext): Promise<SendReceipt> {
    return this.#sender.send(message, context)
  }

  async receive(request: ReceiveRequest, context: CallContext): Promise<ReceiveAnswer> {
    const answer = await this.#receiver.receive(request, context)
    if (context.signal.aborted && answer.messages.length > 0) {
      this.#receipts.giveBack(
        answer.messages.map((message) => message.receiptHandle),
        context,
      )
      throw context.signal.reason
    }
    return answer
  }

  async ack(
    group: string,
    topic: string,
    entries: readonly AckEntry[],
    context: CallContext,
  ): Promise<readonly AckStatus[]> {
    return this.#receipts.ack(group, topic, entries, context)
  }

  async changeInvisible(handle: string, invisibleMs: number, context: CallContext): Promise<string> {
    const { receiptHandle, isLonger } = this.#receipts.changeInvisible(handle, invisibleMs, context)
    if (isLonger && this.#witnesses.arePresent) {
      // Whoever has not taken it in time follows no longer, so this holds in either case (rule 5.8).
      await this.#witnesses.acknowledged()
      this.#gate.check(context)
    }
    return receiptHandle
  }

  async forwardToDeadLetter(handle: string, context: CallContext): Promise<void> {
    this.#receipts.forwardToDeadLetter(handle, context)
  }

  clientGone(clientId: string, group: string): void {
    this.#clients.remove(clientId, group)
    this.#held.release(clientId, group)
  }

  /** From now on this broker may put due messages into their topics: it has become master. */
  startTimers(): void {
    this.#startTimers('put')
  }

  /** This broker serves and is no master: what is due is handed out as it lies in the timer queue (rule 5.6). */
  offerTimers(): void {
    this.#startTimers('offer')
  }

  /**
   * Another broker's progress was merged: what it says of scheduled messages that are in their topics already counts there. Resolves when all of it
   * does that is visible.
   */
  async settleServed(): Promise<void> {
    const { log, book, clock, logger, writing } = this.#ports
    const pause = (): Promise<void> =>
      new Promise((resolve) => {
        clock.after(0, resolve)
      })
    const queue = log.queue(TIMER_TOPIC, TIMER_QUEUE_ID)
    if (queue === undefined) return
    const unmoved = (): Set<QueueOffset> => new Set(book.delay.unmoved(0, queue.maxOffset))
    this.#movedTimers.moveAgain(unmoved())
    const wanted = unmoved()
    for await (const reput of lateMoves(log, wanted, logger, pause)) {
      this.#marks.delivered(reput)
      wanted.delete(reput.mark.queueOffset)
    }
    // What a master does not find has expired, or it put it so long ago that it will never be found. A slave may be about to get it.
    if (!writing.allowed) return
    const expired = Math.min(queue.minOffset, book.delay.floor)
    if (expired > 0) book.commit({ kind: 'moved', from: 0, to: expired })
    for (const from of wanted) if (from >= expired) book.commit({ kind: 'moved', from, to: from + 1 })
  }

  stopTimers(): void {
    this.#timers.stop()
  }

  /** Ends all waiting receives and refuses every further call of consumers with `NOT_SERVING`, until {@link unseal} (rule 4.7). */
  seal(): void {
    this.#gate.seal()
    this.stopServing()
  }

  /** The serving token is gone: waiting receives end with `NOT_SERVING`, instead of waiting for what will be delivered elsewhere. */
  stopServing(): void {
    this.#receiver.endAll(this.#gate.refusal())
    this.#held.clear()
  }

  /** The serving token is asked again. */
  unseal(): void {
    this.#gate.unseal()
  }

  #startTimers(duty: TimerDuty): void {
    if (!this.#timers.start(duty)) return
    this.settleServed().catch((cause: unknown) => {
      this.#ports.logger.error(
        { why: messageOf(cause) },
        'what was done with scheduled messages cannot be moved',
      )
    })
  }

  close(): void {
    this.seal()
    this.#stopListening()
    this.#timers.stop()
    this.#receiver.close()
    this.#effects.close()
  }
}
