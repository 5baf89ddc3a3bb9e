import type { LogOffset } from '@tandemmq/base'
import { readInt64, writeInt64 } from './int64.ts'

/** The first 40 bytes of an index file (RocketMQ IndexHeader). */
export interface IndexHeader {
  /** Store time of the first indexed record, ms. */
  readonly beginTimestamp: number
  /** Store time of the last one. */
  readonly endTimestamp: number
  readonly beginPhyOffset: LogOffset
  readonly endPhyOffset: LogOffset
  /** Slots in use. */
  readonly hashSlotCount: number
  /** Number of the next entry; the first is 1. */
  readonly indexCount: number
}

export const INDEX_HEADER_BYTES = 40

/** The header of the very first file. */
export const freshIndexHeader: IndexHeader = {
  beginTimestamp: 0,
  endTimestamp: 0,
  beginPhyOffset: 0,
  endPhyOffset: 0,
  hashSlotCount: 0,
  indexCount: 1,
}

/** The header of the file after a full one. All four start where that ended; the first entry then moves the begin. */
export function succeedingIndexHeader({ endTimestamp, endPhyOffset }: IndexHeader): IndexHeader {
  return {
    ...freshIndexHeader,
    beginTimestamp: endTimestamp,
    endTimestamp,
    beginPhyOffset: endPhyOffset,
    endPhyOffset,
  }
}

export function encodeIndexHeader(target: Buffer, at: number, header: IndexHeader): number {
  writeInt64(target, at, header.beginTimestamp)
  writeInt64(target, at + 8, header.endTimestamp)
  writeInt64(target, at + 16, header.beginPhyOffset)
  writeInt64(target, at + 24, header.endPhyOffset)
  target.writeInt32BE(header.hashSlotCount, at + 32)
  target.writeInt32BE(header.indexCount, at + 36)
  return INDEX_HEADER_BYTES
}

/** A file that nothing was written to reads as one with no entries. The numbers are as they lie there: see `indexSource`. */
export function decodeIndexHeader(source: Buffer, at: number): IndexHeader {
  return {
    beginTimestamp: readInt64(source, at),
    endTimestamp: readInt64(source, at + 8),
    beginPhyOffset: readInt64(source, at + 16),
    endPhyOffset: readInt64(source, at + 24),
    hashSlotCount: source.readInt32BE(at + 32),
    indexCount: Math.max(1, source.readInt32BE(at + 36)),
  }
}
