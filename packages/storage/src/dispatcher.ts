import {
  BrokerError,
  Frontier,
  messageOf,
  unreachable,
  type Clock,
  type LogOffset,
  type Logger,
  type Timer,
} from '@tandemmq/base'
import { DispatchFieldsReader, scanFrame, type ScanLimits } from '@tandemmq/codec'
import { arrivalOf, indexedOf, type Arrival, type QueuedFields } from './arrival.ts'
import type { CommitLog } from './commit-log.ts'
import type { ConsumeQueues } from './consume-queues.ts'
import { DispatchPace } from './dispatch-pace.ts'
import type { IndexOfKeys, IndexedRecord } from './index-of-keys.ts'
import type { PropertyChecksums } from './property-checksums.ts'

/** A record that was just appended and need not be read back. */
export interface OfferedRecord {
  /** The log's end before the record was appended: before the blank, if one came first. */
  readonly from: LogOffset
  readonly offset: LogOffset
  readonly size: number
  readonly record: QueuedFields
}

export interface DispatcherParts {
  readonly log: CommitLog
  readonly queues: ConsumeQueues
  /** `undefined`: this store keeps none. */
  readonly index: IndexOfKeys | undefined
  readonly checksums: PropertyChecksums
}

/** What one turn handles at most, so that dispatch never holds up the loop; bytes count where they are read back. */
const BATCH_RECORDS_MAX = 2048
const BATCH_BYTES_READ_MAX = 2 * 1024 * 1024
/** Offers kept; a dispatcher further behind reads the log instead. */
const OFFERS_MAX = 8192
/** Read at a time when following the log through a file. */
const WINDOW_BYTES = 64 * 1024
/** Pause after consume queues could not be written. */
const RETRY_MS = 1000

/**
 * Follows the log behind the writer, on master and slave alike, and builds the consume queues. Woken by appends; all
 * that was appended in one turn is one batch: one write per queue, one round of notifications.
 */
export class Dispatcher {
  /** Everything below is in the consume queues. Always at a record boundary. */
  readonly dispatched: Frontier
  readonly #log: CommitLog
  readonly #queues: ConsumeQueues
  readonly #index: IndexOfKeys | undefined
  readonly #checksums: PropertyChecksums
  readonly #limits: ScanLimits
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #emit: (arrivals: readonly Arrival[]) => void
  #position: LogOffset
  /** Records of this batch that are to be indexed. */
  readonly #indexed: IndexedRecord[] = []
  #offers: OfferedRecord[] = []
  #offersAt = 0
  /** In this batch. */
  #bytesRead = 0
  readonly #pace = new DispatchPace()
  #scheduled = false
  #stopped = false
  #retry: Timer | undefined
  /** The record that is read back. */
  readonly #record = new DispatchFieldsReader()
  #window: Buffer = Buffer.alloc(0)
  /** What lies in no memory any more is read into this. */
  #memory: Buffer | undefined
  #windowStart = 0
  #storeTimestamp: number

  constructor(
    parts: DispatcherParts,
    limits: ScanLimits,
    ports: { readonly clock: Clock; readonly logger: Logger },
    emit: (arrivals: readonly Arrival[]) => void,
    storeTimestamp: number,
  ) {
    const { log } = parts
    this.#log = log
    this.#queues = parts.queues
    this.#index = parts.index
    this.#checksums = parts.checksums
    this.#limits = limits
    this.#clock = ports.clock
    this.#logger = ports.logger
    this.#emit = emit
    this.#position = log.written.at
    this.#storeTimestamp = storeTimestamp
    this.dispatched = new Frontier(log.written.at)
  }

  /** Store time of the newest record dispatched, ms. */
  get storeTimestamp(): number {
    return this.#storeTimestamp
  }

  /** Spares reading back what was just appended. Call it before the append is announced. */
  offer(record: OfferedRecord): void {
    if (this.#offers.length - this.#offersAt >= OFFERS_MAX) this.#forgetOffers()
    this.#offers.push(record)
  }

  /** Bytes of another log are being appended, which goes first. Call it before the append is announced. */
  copying(): void {
    this.#pace.copied(this.#clock.monotonic())
  }

  /** There is more in the log. Work is done after the current turn, once for all that woke it, and after what else the turn has brought. */
  wake(): void {
    if (this.#scheduled || this.#stopped || this.#retry !== undefined) return
    this.#scheduled = true
    const pauseMs = this.#pauseMs()
    // One step behind those that an append wakes at the end of its turn: what a slave waits for is on its way before.
    if (pauseMs === 0) queueMicrotask(() => queueMicrotask(() => this.#run()))
    else this.#clock.after(pauseMs, () => this.#run())
  }

  /** An empty log was told to begin at `offset`. */
  beginAt(offset: LogOffset): void {
    this.#position = offset
    this.dispatched.advance(offset)
  }

  /** Does now what is due: everything in the log, except for an unfinished record at its end. */
  drain(): void {
    while (!this.#stopped && this.#batch());
  }

  /** As {@link drain}; what is left is an unfinished record. Throws why dispatch has stopped, or `SYSTEM_BUSY` while something in its way is tried again. */
  drainAll(): void {
    this.drain()
    if (this.dispatched.failure !== undefined) throw this.dispatched.failure
    if (this.#retry === undefined || this.dispatched.at === this.#log.written.at) return
    throw new BrokerError('SYSTEM_BUSY', 'consume queues cannot be written; trying again', {
      facts: { offset: this.dispatched.at },
    })
  }

  stop(reason: BrokerError): void {
    this.#stopped = true
    this.#retry?.cancel()
    this.dispatched.fail(reason)
  }

  #run(): void {
    this.#scheduled = false
    if (this.#stopped) return
    const began = this.#clock.monotonic()
    const more = this.#batch()
    this.#pace.worked(began, this.#clock.monotonic())
    if (!more || this.#stopped) return
    // More than a batch waits: let others work in between.
    this.#scheduled = true
    this.#clock.after(this.#pauseMs(), () => this.#run())
  }

  #pauseMs(): number {
    return this.#pace.pauseMs(this.#clock.monotonic(), this.#log.written.at - this.#position)
  }

  /** True: there is more to do. */
  #batch(): boolean {
    const from = this.#position
    const arrivals: Arrival[] = []
    let queued: Arrival[] = []
    let more = false
    this.#indexed.length = 0
    this.#bytesRead = 0
    try {
      this.#index?.makeRoom()
      more = this.#gather(arrivals, from)
      queued = arrivals.filter((arrival) => this.#queues.put(arrival))
      this.#queues.writePending()
    } catch (failure) {
      this.#onFailure(failure, from)
      return false
    }
    if (this.#position === from) return false
    for (const record of this.#indexed) this.#index?.put(record)
    const last = queued.pop()
    if (last !== undefined) queued.push({ ...last, batchEnd: true })
    this.dispatched.advance(this.#position)
    if (queued.length > 0) this.#emit(queued)
    return more
  }

  /** True: the batch is full, or ends before a place that cannot be read; that place is the next batch's to report. */
  #gather(arrivals: Arrival[], from: LogOffset): boolean {
    try {
      for (let records = 0; records < BATCH_RECORDS_MAX; records += 1) {
        if (this.#bytesRead >= BATCH_BYTES_READ_MAX) return true
        if (!this.#next(arrivals)) return false
      }
    } catch (failure) {
      if (this.#position === from) throw failure
    }
    return true
  }

  /** Moves over one record or blank. False: there is none that is whole. */
  #next(arrivals: Arrival[]): boolean {
    const end = this.#log.written.at
    if (this.#position >= end) return false
    return this.#takeOffer(arrivals, end) || this.#readRecord(arrivals, end)
  }

  #takeOffer(arrivals: Arrival[], end: LogOffset): boolean {
    for (;;) {
      const offer = this.#offers[this.#offersAt]
      if (offer === undefined || offer.from > this.#position) return false
      this.#offersAt += 1
      const { from, offset, size, record } = offer
      const isNext = from === this.#position && offset + size <= end
      if (this.#offersAt === this.#offers.length) this.#forgetOffers()
      if (!isNext) continue
      this.#take(record, offset, size, arrivals)
      return true
    }
  }

  /** Moves behind a record that lies at `offset`. */
  #take(record: QueuedFields, offset: LogOffset, size: number, arrivals: Arrival[]): void {
    const arrival = arrivalOf(record, offset, size)
    if (arrival !== undefined) arrivals.push(arrival)
    const indexed = this.#index && (arrival ?? indexedOf(record, offset))
    if (indexed !== undefined) this.#indexed.push(indexed)
    this.#storeTimestamp = record.storeTimestamp
    this.#position = offset + size
  }

  #readRecord(arrivals: Arrival[], end: LogOffset): boolean {
    const offset = this.#position
    const segmentEnd = this.#log.segmentStart(offset) + this.#log.segmentBytes
    let window = this.#windowAt(offset)
    let scan = scanFrame(window, 0, this.#limits, offset)
    if (scan.kind === 'incomplete' && offset + scan.needed <= Math.min(end, segmentEnd)) {
      window = this.#log.readExactly(offset, scan.needed)
      scan = scanFrame(window, 0, this.#limits, offset)
      if (scan.kind === 'incomplete' && offset + scan.needed <= Math.min(end, segmentEnd)) {
        window = this.#log.readExactly(offset, scan.needed)
        scan = scanFrame(window, 0, this.#limits, offset)
      }
    }
    switch (scan.kind) {
      case 'message': {
        if (this.#checksums.check(window, 0, scan.size) === 'wrong')
          throw corruptAt(offset, 'a record that has another checksum than its properties say')
        const record = this.#record
        record.look(window)
        if (!record.take(0, scan.size)) throw corruptAt(offset, 'a record with what none has')
        this.#take(record, offset, scan.size, arrivals)
        this.#bytesRead += scan.size
        return true
      }
      case 'blank':
        if (offset + scan.size !== segmentEnd)
          throw corruptAt(offset, 'a blank that does not end the segment')
        if (end < segmentEnd) return false
        this.#position = segmentEnd
        return true
      case 'incomplete':
        if (offset + scan.needed > segmentEnd) throw corruptAt(offset, 'a record that crosses a segment end')
        return false
      case 'empty':
        throw corruptAt(offset, 'no record')
      case 'corrupt':
        throw corruptAt(offset, scan.why)
      default:
        return unreachable(scan)
    }
  }

  /** Bytes from `offset` on, at least the rest of the window that was read last. */
  #windowAt(offset: LogOffset): Buffer {
    const at = offset - this.#windowStart
    // 8 bytes tell how long a record is; a window with less is read again.
    if (at < 0 || at + 8 > this.#window.length) {
      this.#window = this.#log.read(offset, WINDOW_BYTES, this.#readInto)
      this.#windowStart = offset
      return this.#window
    }
    return this.#window.subarray(at)
  }

  readonly #readInto = (): Buffer => (this.#memory ??= Buffer.allocUnsafeSlow(WINDOW_BYTES))

  #forgetOffers(): void {
    this.#offers = []
    this.#offersAt = 0
  }

  #onFailure(failure: unknown, from: LogOffset): void {
    this.#position = from
    this.#forgetOffers()
    if (failure instanceof BrokerError && failure.code === 'LOG_CORRUPT') {
      this.#logger.error(
        { ...failure.facts, why: failure.message },
        'dispatch has stopped: the commit log is damaged',
      )
      this.stop(failure)
      return
    }
    this.#logger.error({ why: messageOf(failure) }, 'consume queues could not be written; trying again')
    this.#retry = this.#clock.after(RETRY_MS, () => {
      this.#retry = undefined
      this.wake()
    })
  }
}

function corruptAt(offset: LogOffset, what: string): BrokerError {
  return new BrokerError('LOG_CORRUPT', `the log has at ${offset}: ${what}`, { facts: { offset } })
}
