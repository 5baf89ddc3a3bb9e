import type { LogOffset } from '@tandemmq/base'

/** Where a record lies, as a queue's unit says it. */
export interface RecordPlace {
  readonly offset: LogOffset
  /** Bytes. */
  readonly size: number
}

/** One read of a file. */
export interface PlannedRead {
  /** What is asked for: the bytes [`from`, `to`). */
  readonly from: LogOffset
  readonly to: LogOffset
  /** What is read: [`from`, `aheadTo`). */
  readonly aheadTo: LogOffset
}

export interface ReadLimits {
  /** Readable is what lies in [`begin`, `end`). */
  readonly begin: LogOffset
  readonly end: LogOffset
  readonly segmentBytes: number
  /** The length of a read that takes in what lies behind; a record that is longer is a read of its own. */
  readonly pieceBytes: number
}

/** Bytes between two records that are cheaper to read than to leave out: a read of its own takes the time of so many. */
const GAP_BYTES_MAX = 64 * 1024
/** The share of a read that its records make up at least, if more of their kind are expected behind it. */
const DENSE = 1 / 16

/**
 * Few reads for the records at `places`: those that lie near each other come in one, up to a piece. Where several records of a queue came together, the next
 * ones mostly lie behind them, so that the whole piece is read. A read never crosses the end of a segment. What is not readable is left out.
 */
export function planReads(places: readonly RecordPlace[], limits: ReadLimits): PlannedRead[] {
  const reads: PlannedRead[] = []
  let open: OpenRead | undefined
  for (const place of places.toSorted((a, b) => a.offset - b.offset)) {
    if (!isReadable(place, limits)) continue
    if (open !== undefined && joins(open, place, limits)) {
      open.to = Math.max(open.to, endOf(place))
      open.used += place.size
      open.records += 1
      continue
    }
    if (open !== undefined) reads.push(closed(open, limits))
    open = { from: place.offset, to: endOf(place), used: place.size, records: 1 }
  }
  if (open !== undefined) reads.push(closed(open, limits))
  return reads
}

interface OpenRead {
  readonly from: LogOffset
  to: LogOffset
  /** Bytes of records asked for. */
  used: number
  records: number
}

function endOf({ offset, size }: RecordPlace): LogOffset {
  return offset + size
}

function segmentEnd(offset: LogOffset, { segmentBytes }: ReadLimits): LogOffset {
  return offset - (offset % segmentBytes) + segmentBytes
}

function isReadable(place: RecordPlace, limits: ReadLimits): boolean {
  const { offset, size } = place
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(size) || size <= 0) return false
  return offset >= limits.begin && endOf(place) <= limits.end && endOf(place) <= segmentEnd(offset, limits)
}

function joins(open: OpenRead, place: RecordPlace, limits: ReadLimits): boolean {
  const isNear = place.offset - open.to <= GAP_BYTES_MAX
  const isOnePiece = endOf(place) - open.from <= limits.pieceBytes
  return isNear && isOnePiece && endOf(place) <= segmentEnd(open.from, limits)
}

function closed({ from, to, used, records }: OpenRead, limits: ReadLimits): PlannedRead {
  const isSequential = records > 1 && used >= (to - from) * DENSE
  const most = Math.min(from + limits.pieceBytes, segmentEnd(from, limits), limits.end)
  return { from, to, aheadTo: isSequential ? Math.max(to, most) : to }
}
