import { BrokerError, diskError, type Frontier, type LogOffset, type QueueOffset } from '@tandemmq/base'
import type { Epoch, Lineage, LogRecord } from '@tandemmq/codec'
import type { Appended } from './appender.ts'
import { emitTo, type ArrivalListener } from './arrival-listener.ts'
import type { AppendedBatch, BatchToAppend } from './batch-append.ts'
import type { QueueReader } from './consume-queue.ts'
import { appendCopied } from './copied-bytes.ts'
import { findMessages, type FoundMessages, type MessageQuery } from './index-query.ts'
import { demandInLog } from './log-cut.ts'
import type { MessageToAppend } from './message-to-append.ts'
import type { RecordPlace } from './read-plan.ts'
import type { RecoveryReport } from './recovery.ts'
import { checksumOf, messageIn, readRecord, recordByMessageId } from './record-reading.ts'
import { SessionCut } from './session-cut.ts'
import { openContext, openFirstSession } from './store-context.ts'
import { observePositions } from './store-metrics.ts'
import { completeOptions, scanLimitsOf, type StoreOptions, type StorePorts } from './store-options.ts'
import type { StoreSession, SessionContext } from './store-session.ts'
import { WritingRight } from './writing-right.ts'

/**
 * All messages of a broker: one log, and the queues that lead into it. A master appends messages; a slave appends its
 * master's bytes; both dispatch what is in the log into consume queues and read from there.
 */
export class MessageStore implements AsyncDisposable {
  readonly recovery: RecoveryReport
  readonly #context: SessionContext
  readonly #listeners: Set<ArrivalListener>
  readonly #writing = new WritingRight()
  #session: StoreSession
  readonly #sessionListeners = new Set<() => void>()
  /** The cut that is under way. */
  #cut: Promise<void> | undefined
  #isClosed = false

  private constructor(context: SessionContext, session: StoreSession, listeners: Set<ArrivalListener>) {
    this.#context = context
    this.#session = session
    this.#listeners = listeners
    this.recovery = session.report
  }

  /**
   * Opens or creates the store in `options.root` and recovers it. Whoever calls holds the directory's lock.
   * Throws `CONFIG_INVALID`, `STORE_FOREIGN`, `STATE_FILE_CORRUPT`, `LOG_CORRUPT` naming the offset, `DISK_FULL`, or `UNAVAILABLE` for what else the
   * file system refuses.
   */
  static async open(options: StoreOptions, ports: StorePorts): Promise<MessageStore> {
    const listeners = new Set<ArrivalListener>()
    let store: MessageStore
    try {
      const opened = await openContext(completeOptions(options), ports, (arrivals) =>
        emitTo(listeners, arrivals),
      )
      const session = await openFirstSession(opened.context, opened.positionFound)
      store = new MessageStore(opened.context, session, listeners)
    } catch (failure) {
      throw diskError(failure)
    }
    observePositions(ports.meter, store)
    return store
  }

  /** Start of the first segment that is still there. */
  get minOffset(): LogOffset {
    return this.#session.log.minOffset
  }

  get end(): LogOffset {
    return this.#session.log.written.at
  }

  /** The end of the log. A truncation replaces all three frontiers and fails the old ones with `LOG_CLOSED`. */
  get written(): Frontier {
    return this.#session.log.written
  }

  /** What is on stable storage. Fails with `LOG_FENCED`. */
  get flushed(): Frontier {
    return this.#session.log.flushed
  }

  /** What consume queues lead to: always a record boundary. Fails with `LOG_CORRUPT`. */
  get dispatched(): Frontier {
    return this.#session.dispatcher.dispatched
  }

  /** Why the disk counts as failed; `undefined` as long as it does not. */
  get fence(): BrokerError | undefined {
    return this.#session.log.fence
  }

  /** There is no room for messages on the disk, or the last append found none. */
  get isDiskFull(): boolean {
    return this.#session.log.isDiskFull
  }

  /** There is no room for messages by the system's count at this moment: unlike {@link isDiskFull} it passes without an append. */
  get isOutOfRoom(): boolean {
    return this.#session.log.isOutOfRoom
  }

  get segmentBytes(): number {
    return this.#context.options.segmentBytes
  }

  /** The log's ancestry; `undefined` before the first master has opened it. */
  get lineage(): Lineage | undefined {
    return this.#context.identity.lineage
  }

  /** Whether {@link append} is possible: an epoch was opened since the start. */
  get isWritable(): boolean {
    return this.#writing.isOwn && this.fence === undefined
  }

  /** Up to where the master's promises were known to be kept, as last written down. Visible never falls below. */
  get confirmedOnDisk(): LogOffset {
    return this.#context.position.value.confirmed
  }

  /** Every identity that was ever counted as a replica (rule 3.3). */
  get roster(): readonly string[] {
    return this.#context.identity.roster
  }

  /** Who was removed from it by the operator's word, and was not counted since. */
  get forgotten(): readonly string[] {
    return this.#context.identity.forgotten
  }

  /** Gives a log its identity, durably. What a log of Apache's has already becomes the first epoch. */
  async createLineage(): Promise<void> {
    await this.#context.identity.create(this.minOffset, this.end)
  }

  /**
   * Makes this process the log's writer: opens an epoch above all earlier ones and at least `atLeast`, durable when it
   * resolves. An unfinished record at the end, as a slave may have one, is cut off before. Throws `SYSTEM_BUSY` while queues cannot be written.
   */
  async openEpoch(atLeast = 1): Promise<Epoch> {
    this.#writing.demandOpen()
    this.#session.dispatcher.drainAll()
    if (this.dispatched.at < this.end) await this.truncateTo(this.dispatched.at)
    const epoch = await this.#context.identity.open(this.minOffset, this.end, atLeast)
    this.#writing.take(this.#session.appender())
    return epoch
  }

  /** Takes over what the master said, durably. This process is not the log's writer then. */
  async adoptLineage(lineage: Lineage): Promise<void> {
    this.#writing.giveUp()
    const { identity, position } = this.#context
    // An empty log may begin elsewhere under another master than it would have here.
    if (this.end === this.minOffset && position.value.begin !== undefined)
      await position.save({ begin: undefined })
    await identity.adopt(lineage)
  }

  /** Notes how far the master's promises are known to be kept. Written down a little later; never goes back. */
  saveConfirmed(offset: LogOffset): void {
    const { position } = this.#context
    const confirmed = Math.min(offset, this.end)
    if (confirmed <= position.value.confirmed) return
    position.note({ confirmed })
    this.#session.bookkeeping.wake()
  }

  /** Remembers a replica, durably, before it is counted for the first time. */
  addToRoster(identity: string): Promise<void> {
    return this.#context.identity.addReplica(identity)
  }

  /** The tail may be missing, and the next start is to know it, durably; until an epoch is opened (rule 3.1). */
  suspectLoss(): Promise<void> {
    return this.#context.identity.suspectLoss()
  }

  /** `replica forget`: the identity counts no more, and is {@link forgotten} until it does. */
  removeFromRoster(identity: string): Promise<void> {
    return this.#context.identity.forgetReplica(identity)
  }

  /**
   * Appends a message in one synchronous step and gives it its queue offset. Nothing is promised before `flushed` or
   * the replicas have passed `end`. Throws `MESSAGE_ILLEGAL`, `NOT_WRITABLE`, `LOG_FENCED`, `DISK_FULL`, `LOG_CLOSED`.
   */
  append(message: MessageToAppend): Appended {
    return this.#writing.writer().append(message)
  }

  /** As {@link append} for each, with few writes; what that would throw is an outcome. Throws `NOT_WRITABLE`, `LOG_CLOSED`. */
  appendAll(messages: readonly MessageToAppend[]): readonly (Appended | BrokerError)[] {
    return this.#writing.writer().appendAll(messages)
  }

  /** As {@link append} for a client's batch: all of its messages in one synchronous step, next to each other, or none. */
  appendBatch(batch: BatchToAppend): AppendedBatch {
    return this.#writing.writer().appendBatch(batch)
  }

  /**
   * Appends the master's bytes at the offset they have there; they may begin and end within a record, but do not cross
   * a segment end. `at` is our end, or any later segment start as long as the log is empty.
   * Throws `NOT_WRITABLE`, `ILLEGAL_ARGUMENT`, `LOG_FENCED`, `DISK_FULL`, `LOG_CLOSED`.
   */
  appendRaw(at: LogOffset, bytes: Buffer): void {
    this.#writing.demandCopier()
    appendCopied(this.#session, at, bytes)
  }

  /** Resolves once everything below `upTo` (default: all) is on stable storage; many callers share one sync. */
  flush(upTo: LogOffset = this.end): Promise<void> {
    return this.#session.groupCommit.commit(upTo)
  }

  /** Bytes of the log: at most `bytesMax`, not across a segment end, possibly a short view; empty exactly at the end. `memory` as {@link CommitLog.read}. */
  read(offset: LogOffset, bytesMax: number, memory?: () => Buffer): Buffer {
    return this.#session.log.read(offset, bytesMax, memory)
  }

  /** As {@link read}, off the event loop; `undefined`: that need not wait for a file. */
  readLater(offset: LogOffset, bytesMax: number, memory?: () => Buffer): Promise<Buffer> | undefined {
    return this.#session.log.cold.readLater(offset, bytesMax, memory)
  }

  /** Whether {@link record} can give it without waiting for the disk, and all others with it. */
  isInMemory(place: RecordPlace): boolean {
    return this.#session.log.cold.isInMemory(place)
  }

  /** Brings records into memory, off the loop, the first of the log at least. Resolves with those that were tried; errors show in {@link record}. */
  warm(places: readonly RecordPlace[]): Promise<readonly RecordPlace[]> {
    return this.#session.log.cold.warm(places)
  }

  /**
   * The record at `offset`; with its `size`, as a queue's unit knows it, in one read. The body is a view, good as long
   * as it is held. Of an inner batch the whole, or the message that has `queueOffset`. Throws `OFFSET_EXPIRED` below the log, `ILLEGAL_ARGUMENT` behind it, `LOG_CORRUPT` where no sound record is.
   */
  record(offset: LogOffset, size?: number, queueOffset?: QueueOffset): LogRecord {
    const { options } = this.#context
    const record = readRecord(this.#session.log, scanLimitsOf(options), offset, size, options.propertyCrc)
    return queueOffset === undefined ? record : messageIn(record, queueOffset)
  }

  /**
   * The record that an offset message id names; `undefined` if there is none, or none that ends at or below `upTo` (default: all dispatched).
   * Throws `ILLEGAL_ARGUMENT` for a text that is no such id.
   */
  recordByMessageId(messageId: string, upTo: LogOffset = Infinity): LogRecord | undefined {
    return recordByMessageId(this.#session, messageId, upTo, (offset) => this.record(offset))
  }

  /** CRC-32 of the bytes [from, to). Throws `OFFSET_EXPIRED` below the log, `ILLEGAL_ARGUMENT` behind it. */
  checksum(from: LogOffset, to: LogOffset): number {
    return checksumOf(this.#session.log, from, to)
  }

  /** The epoch that the byte at `offset` was written in; 0 below the first one. */
  epochAt(offset: LogOffset): number {
    return this.#context.identity.epochAt(offset)
  }

  /** `undefined`: no message of the queue was ever dispatched. */
  queue(topic: string, queueId: number): QueueReader | undefined {
    return this.#session.queues.reader(topic, queueId)
  }

  /** All queues; minOffset and maxOffset of each as they are now. */
  queueOffsets(): Iterable<QueueReader> {
    return this.#session.queues.readers()
  }

  /**
   * Finds records by one of their keys, the newest first; different keys of the same hash are told apart by looking at
   * the record. Throws `ILLEGAL_ARGUMENT`, `NOT_SERVING` in a store without index, `LOG_CLOSED` when it is cut meanwhile.
   */
  query(query: MessageQuery): Promise<FoundMessages> {
    const { index, log, dispatcher } = this.#session
    const readable = { from: () => log.minOffset, to: dispatcher.dispatched.at }
    return findMessages(index, query, readable, (offset) => this.record(offset))
  }

  /** Calls `listener` for every record that becomes readable by queue offset, in log order; returns how to stop. */
  onDispatched(listener: ArrivalListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls `listener` after a cut: all frontiers are new. Returns how to stop. */
  onSession(listener: () => void): () => void {
    this.#sessionListeners.add(listener)
    return () => this.#sessionListeners.delete(listener)
  }

  /**
   * Cuts the log at `offset`, durably, and the queues with it. The bytes cut off are saved under `diverged/` before, unless another log that goes on
   * has, or had, them too (`isCommon`).
   * `offset` within a record cuts that record too; at {@link minOffset} log and queues begin anew. All frontiers are new afterwards; a crash in between is finished by
   * the next start. Once the bytes are saved it does not fail for want of room: it waits for that, and the log with it.
   */
  async truncateTo(offset: LogOffset, isCommon = false): Promise<void> {
    this.#writing.demandOpen()
    demandInLog(offset, this.minOffset, this.end)
    if (offset === this.end) return
    this.#cut = this.#cutAt(offset, isCommon)
    try {
      await this.#cut
    } finally {
      this.#cut = undefined
    }
  }

  /**
   * Removes whole segments below `upTo`, as far as they are durably dispatched, and never the one of the last byte; queues and index follow.
   * {@link minOffset} has moved when this returns; it resolves when the files are gone, durably, with the number of segments. A crash in between
   * is finished by the next start. Throws `LOG_CLOSED`, or what the disk says: then a later call goes on.
   */
  async expire(upTo: LogOffset): Promise<number> {
    this.#writing.demandOpen()
    try {
      return await this.#session.expiry.run(upTo)
    } catch (failure) {
      throw diskError(failure)
    }
  }

  /** A clean stop: everything is on disk, and the next start knows it. Whoever waits is told `LOG_CLOSED`. */
  async close(): Promise<void> {
    this.#isClosed = true
    // No session of this store outlives it, nor the one that a cut is about to begin.
    while (this.#cut !== undefined) await Promise.allSettled([this.#cut])
    if (this.#writing.isSuspended) return
    const closed = new BrokerError('LOG_CLOSED', 'the store was closed')
    this.#writing.suspend(closed)
    await this.#session.stop(closed)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #cutAt(offset: LogOffset, isCommon: boolean): Promise<void> {
    const cut = new SessionCut(this.#context, this.#session, offset, this.#writing, () => this.#isClosed)
    this.#session = await cut.run(isCommon)
    this.#writing.resume()
    for (const listener of this.#sessionListeners) listener()
  }
}
