import type { MessageStore } from '@tandemmq/storage'
import { WatchedFiles } from '@tandemmq/testkit'
import { emptyLedger, type Ledger } from './ledger.ts'
import { walkLog } from '../log-walk.ts'
import { messageOf, POSITION_MS, QUEUE_SYNC_MS, SCAN_LIMITS, SEGMENT_BYTES, type Machine } from './machine.ts'

/** A sector: after a torn rewrite old and new records of this length fit one another. */
const RECORD_BYTES = 512
const LARGE_RECORD_BYTES = 2000

/** A process with a store, which does one step after the other and writes down what it was promised. */
export class Actor {
  ledger: Ledger = emptyLedger
  readonly #machine: Machine
  readonly #onBoundary: () => void
  #store: MessageStore | undefined
  #count = 0

  /** `onBoundary` is told right before every call to the disk, and after every promise. */
  constructor(machine: Machine, onBoundary: () => void) {
    this.#machine = machine
    this.#onBoundary = onBoundary
  }

  async open(): Promise<void> {
    const files = new WatchedFiles(this.#machine.disk.mount(), this.#onBoundary)
    const store = await this.#machine.open(files)
    this.#store = store
    await this.#machine.write(store)
    this.#note({ hasLineage: true })
  }

  /** What steps begin with: messages in two segments, in synced queues and behind them. */
  async prepare(): Promise<void> {
    await this.open()
    await this.roll()
    await this.checkpoint()
    await this.append()
  }

  /** Two messages that are flushed and one that nobody waits for. */
  async append(): Promise<void> {
    this.#append(RECORD_BYTES)
    this.#append(RECORD_BYTES)
    await this.#flush()
    this.#append(RECORD_BYTES)
    await this.#machine.clock.settle()
  }

  /** Messages of another length up to the next segment. */
  async roll(): Promise<void> {
    const segment = Math.floor(this.#opened.end / SEGMENT_BYTES)
    while (Math.floor(this.#opened.end / SEGMENT_BYTES) === segment) this.#append(LARGE_RECORD_BYTES)
    await this.#flush()
  }

  /** Waits until consume queues, index, checkpoint and position file are on disk. */
  async checkpoint(): Promise<void> {
    this.#append(RECORD_BYTES)
    await this.#machine.clock.advance(QUEUE_SYNC_MS + 2 * POSITION_MS)
    this.#note({ flushed: this.ledger.sent.length })
  }

  /** Saves the confirmed position. */
  async saveOffset(): Promise<void> {
    await this.#flush()
    const { end } = this.#opened
    this.#opened.saveConfirmed(end)
    await this.#machine.clock.advance(2 * POSITION_MS)
    this.#note({ confirmed: end })
  }

  /** Gives up the oldest segments, as far as that may be: all but the last. */
  async expire(): Promise<void> {
    const store = this.#opened
    const records = walkLog(store, SCAN_LIMITS)
    this.#note({ isExpiring: true })
    await this.#machine.clock.outcome(store.expire(store.end))
    const gone = records.filter(({ physicalOffset }) => physicalOffset < store.minOffset)
    this.#note({ expired: this.ledger.expired + gone.length, isExpiring: false })
  }

  /** Removes the last two messages; within the older one of them every other time. */
  async truncate(): Promise<void> {
    const store = this.#opened
    const { expired } = this.ledger
    const left = Math.max(expired, this.ledger.sent.length - 2)
    const first = walkLog(store, SCAN_LIMITS)[left - expired]?.physicalOffset
    if (first === undefined) return
    const beginsAnew = first === store.minOffset
    const within = this.ledger.sent.length % 2 === 0 ? 0 : 300
    this.#note({ cutFrom: left, beginsAnew, confirmed: 0 })
    await this.#machine.clock.outcome(store.truncateTo(first + within))
    // What is left of a record is cut off when the epoch is opened.
    await this.#machine.write(store)
    if (beginsAnew) {
      this.#note({ ...emptyLedger, hasLineage: true })
      return
    }
    const { flushed, sent } = this.ledger
    this.#note({
      sent: sent.slice(0, left),
      appended: left,
      flushed: Math.min(flushed, left),
      cutFrom: undefined,
    })
  }

  /** A clean stop and a new start. */
  async restart(): Promise<void> {
    await this.#machine.clock.outcome(this.#opened.close())
    this.#note({ flushed: this.ledger.sent.length })
    await this.open()
  }

  get #opened(): MessageStore {
    if (this.#store === undefined) throw new Error('the store is not open')
    return this.#store
  }

  #append(recordBytes: number): void {
    const message = messageOf(this.#count, recordBytes)
    this.#count += 1
    this.#note({ sent: [...this.ledger.sent, message.body.toString()] })
    this.#opened.append(message)
    this.#note({ appended: this.ledger.sent.length })
  }

  async #flush(): Promise<void> {
    const count = this.ledger.sent.length
    await this.#machine.clock.outcome(this.#opened.flush())
    this.#note({ flushed: count })
  }

  #note(change: Partial<Ledger>): void {
    this.ledger = { ...this.ledger, ...change }
    this.#onBoundary()
  }
}

/** What an {@link Actor} can do. */
export const steps = ['append', 'roll', 'checkpoint', 'saveOffset', 'truncate', 'expire', 'restart'] as const
export type Step = (typeof steps)[number]
