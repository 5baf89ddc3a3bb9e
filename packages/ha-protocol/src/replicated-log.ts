import type { LogOffset } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'

/** The commit log as replication sees it: raw bytes at offsets. Storage provides it; tests bring their own. */
export interface ReplicatedLog {
  readonly minOffset: LogOffset
  readonly end: LogOffset
  /** Everything below is on stable storage. */
  readonly flushed: LogOffset
  readonly segmentBytes: number
  /** Absent: a log that has never been created or adopted (rule 1.6). */
  readonly lineage: Lineage | undefined
  /**
   * At most `maxBytes` from `offset`, never across a segment end; empty at the end. The bytes must not change later. Those that are not in memory
   * may be read into `memory`, which has room for `maxBytes`: then they are good for as long as the caller leaves it alone.
   */
  read(offset: LogOffset, maxBytes: number, memory?: () => Buffer): Buffer
  /** As {@link read}, off the event loop; `undefined`, or no such method: that need not wait for a file. */
  readLater?(offset: LogOffset, maxBytes: number, memory?: () => Buffer): Promise<Buffer> | undefined
  /** `at` equals {@link end}, or the log is empty and `at` is a segment start; throws otherwise. `bytes` is only lent. */
  append(at: LogOffset, bytes: Buffer): void
  /** Resolves once everything appended before the call is on stable storage; a failure is final. */
  flush(): Promise<void>
  /** CRC-32 of the bytes in [from, to). */
  checksum(from: LogOffset, to: LogOffset): number
  /** Resolves once the ancestry is durable. */
  adoptLineage(lineage: Lineage): Promise<void>
  /**
   * Durably cuts everything at and above `offset`, after a saved copy unless that `isCommon` with a log that goes on. At `minOffset` the log
   * becomes empty.
   */
  truncateTo(offset: LogOffset, isCommon?: boolean): Promise<void>
  /** Calls `listener` after every append; returns how to stop. */
  onAppend(listener: () => void): () => void
  /** As {@link onAppend}, whenever {@link flushed} has grown. */
  onFlush(listener: () => void): () => void
}

/** What a handshake looks at: the state of a log in one instant. */
export interface LogView {
  readonly begin: LogOffset
  readonly end: LogOffset
  readonly flushed: LogOffset
  readonly segmentBytes: number
  readonly lineage?: Lineage
  checksum(from: LogOffset, to: LogOffset): number
}

export function viewOf(log: ReplicatedLog): LogView {
  const { minOffset: begin, end, flushed, segmentBytes, lineage } = log
  return {
    begin,
    end,
    flushed,
    segmentBytes,
    ...(lineage === undefined ? {} : { lineage }),
    checksum: (from, to) => log.checksum(from, to),
  }
}
