import type { KeyObject } from 'node:crypto'
import { encodeReceiptHandle, type ReceiptHandle } from '@tandemmq/codec'
import { BrokerError, type Clock } from '@tandemmq/base'
import type { AckEntry, AckStatus, CallContext } from './api.ts'
import type { Catalog } from './catalog.ts'
import type { ProgressBook, Settled } from './progress-book.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { MessageLog } from './message-log.ts'
import type { Judged, ReceiptJudge } from './receipt-judge.ts'
import type { ServingGate } from './serving.ts'

/** Apache's limit for a change of invisibility: 12 h. */
const INVISIBLE_MAX_MS = 12 * 60 * 60 * 1000

export interface ReceiptsParts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly catalog: Catalog
  readonly gate: ServingGate
  readonly judge: ReceiptJudge
  readonly deadLetters: DeadLetters
  readonly clock: Clock
  readonly handleKey: KeyObject
  /** Invisible messages of this queue become visible earlier or later, or an orderly queue may be open again. */
  readonly changed: (queue: DeliveryQueue) => void
}

/** What consumers do with deliveries: acknowledge, change their invisibility, give them up. */
export class Receipts {
  readonly #parts: ReceiptsParts

  constructor(parts: ReceiptsParts) {
    this.#parts = parts
  }

  ack(group: string, topic: string, entries: readonly AckEntry[], context: CallContext): AckStatus[] {
    this.#parts.gate.check(context)
    const settled = new Map<DeliveryQueue, Settled[]>()
    const statuses = entries.map((entry) => this.#ackOne(group, topic, entry, context, settled))
    for (const [queue, records] of settled) {
      this.#parts.book.commit({ kind: 'ack', group, topic: queue.topic, queueId: queue.queueId, records })
      if (this.#isOrderly(group)) this.#parts.changed(queue)
    }
    return statuses
  }

  /** `isLonger`: of an orderly group, and invisible for longer than before. */
  changeInvisible(
    text: string,
    invisibleMs: number,
    context: CallContext,
  ): { readonly receiptHandle: string; readonly isLonger: boolean } {
    const { gate, judge, book, clock, handleKey, changed } = this.#parts
    const servingEpoch = gate.check(context)
    if (!(invisibleMs >= 0 && invisibleMs <= INVISIBLE_MAX_MS)) {
      const words = invisibleMs < 0 ? 'too small' : 'too large'
      throw new BrokerError('ILLEGAL_ARGUMENT', `the invisibleTime is ${words}: 0 to ${INVISIBLE_MAX_MS} ms`)
    }
    const judged = judge.judge(text, context.clientId)
    if (judged.verdict !== 'live') throw expired(judged)
    const { handle, queue } = judged
    const { group, topic, queueId, queueOffset, stamp, attempt } = handle
    const deliveredAt = clock.now()
    queue.held.delete(queueOffset) // From now on the client decides.
    const before = book.progress.queue(group, topic, queueId).lease(queueOffset)?.invisibleUntil ?? 0
    const delivery = { queueOffset, stamp, attempt, deliveredAt, invisibleMs }
    book.commit({ kind: 'visibility', group, topic, queueId, servingEpoch, delivery })
    changed(queue)
    const receiptHandle = encodeReceiptHandle(
      { ...handle, deliveredAt, invisibleMs, servingEpoch },
      handleKey,
    )
    return { receiptHandle, isLonger: this.#isOrderly(group) && clock.monotonic() + invisibleMs > before }
  }

  forwardToDeadLetter(text: string, context: CallContext): void {
    const { gate, judge, log, book, deadLetters, changed } = this.#parts
    gate.check(context)
    const { handle, queue, verdict } = judge.judge(text, context.clientId)
    const { queueOffset, stamp } = handle
    // Whoever gave it up before, or has it now: this delivery has nothing to give up any more.
    if (verdict === 'settled' || verdict === 'superseded' || queue.aside.has(queueOffset)) return
    if (handle.realTopic !== undefined) {
      throw new BrokerError('UNAVAILABLE', 'the message waits for the master, which puts it into its topic')
    }
    if (stamp.physicalOffset >= log.end) {
      throw new BrokerError('UNAVAILABLE', 'the message has not come to this broker yet')
    }
    const progress = book.progress.queue(handle.group, handle.topic, handle.queueId)
    const deliveries = Math.max(handle.attempt, progress.lease(queueOffset)?.attempts ?? 0)
    const record = log.record(stamp.physicalOffset, undefined, queueOffset)
    deadLetters.copy(queue, { queueOffset, record }, deliveries)
    queue.held.delete(queueOffset)
    changed(queue)
  }

  /** What could not be handed over comes again in a moment (Apache's proxy: 1 s). */
  giveBack(handles: readonly string[], context: CallContext): void {
    for (const handle of handles) {
      try {
        this.changeInvisible(handle, 1000, context)
      } catch (cause) {
        // Nobody serves here any more, or it was settled: then there is nothing to give back.
        if (!(cause instanceof BrokerError)) throw cause
        if (cause.code === 'NOT_SERVING') return
      }
    }
  }

  #ackOne(
    group: string,
    topic: string,
    entry: AckEntry,
    context: CallContext,
    settled: Map<DeliveryQueue, Settled[]>,
  ): AckStatus {
    const judged = this.#judge(entry, context)
    if (judged === undefined) return 'RECEIPT_HANDLE_INVALID'
    const { handle, queue, verdict } = judged
    const isForeign = handle.group !== group || (handle.realTopic ?? handle.topic) !== topic
    if (isForeign) return 'RECEIPT_HANDLE_INVALID'
    if (verdict === 'settled') return 'OK'
    if (verdict === 'superseded') return this.#isOrderly(group) ? 'OK' : 'RECEIPT_HANDLE_INVALID'
    if (verdict === 'expired') return 'RECEIPT_HANDLE_INVALID'
    queue.held.delete(handle.queueOffset)
    const record = recordOf(handle)
    const others = settled.get(queue)
    if (others) others.push(record)
    else settled.set(queue, [record])
    return 'OK'
  }

  #judge(entry: AckEntry, context: CallContext): Judged | undefined {
    try {
      return this.#parts.judge.judge(entry.receiptHandle, context.clientId)
    } catch (cause) {
      if (cause instanceof BrokerError && cause.code === 'RECEIPT_HANDLE_INVALID') return undefined
      throw cause
    }
  }

  #isOrderly(group: string): boolean {
    return this.#parts.catalog.group(group)?.orderly ?? false
  }
}

function recordOf({ queueOffset, stamp }: ReceiptHandle): Settled {
  return { queueOffset, stamp }
}

function expired({ handle, verdict }: Judged): BrokerError {
  return new BrokerError('RECEIPT_HANDLE_INVALID', `the receipt handle is no longer good: ${verdict}`, {
    facts: { topic: handle.topic, queueId: handle.queueId, queueOffset: handle.queueOffset, verdict },
  })
}
