import type { LogOffset } from '@tandemmq/base'
import { dataViewOf } from './data-view.ts'
import { getInt64, isOffset } from './int64.ts'
import * as layout from './record-layout.ts'

/** What lies at a position of the log. Recovery, replication and dispatch all branch on exactly these cases. */
export type FrameScan =
  /** A whole record; its inner lengths add up to `size`. Contents are not checked. */
  | { readonly kind: 'message'; readonly size: number }
  /** The rest of the segment is unused: continue at the next one. `size` counts all of that rest; 8 bytes of it exist. */
  | { readonly kind: 'blank'; readonly size: number }
  /** A torn tail on recovery, a short read otherwise. `needed`: bytes from the frame's start, in all, before another look pays. */
  | { readonly kind: 'incomplete'; readonly needed: number }
  /** Size zero: nothing was ever written here. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'corrupt'; readonly why: FrameFault }

export type FrameFault = 'size-out-of-range' | 'unknown-magic' | 'lengths-disagree' | 'wrong-offset'

export interface ScanLimits {
  /** The largest record anybody may have written, bytes (Apache: maxMessageSize + 64 KiB). */
  readonly recordBytesMax: number
  /** The length of a segment: no blank is longer. */
  readonly segmentBytes: number
}

/**
 * Looks at the frame that starts at `at`; `source` ends where the readable bytes end. Nothing is believed before it
 * is bounded. With `offset`, the log offset of `at`, a record that claims to lie elsewhere is corrupt: bytes of an
 * earlier life of the segment look like that.
 */
export function scanFrame(source: Buffer, at: number, limits: ScanLimits, offset?: LogOffset): FrameScan {
  return scanFrameIn(dataViewOf(source), at, limits, offset)
}

/** As {@link scanFrame}, for who looks at one frame after the other. */
export function scanFrameIn(
  source: DataView,
  at: number,
  limits: ScanLimits,
  offset: LogOffset | undefined,
): FrameScan {
  const available = source.byteLength - at
  if (available < 4) return incompleteHead
  const size = source.getInt32(at)
  if (size === 0) return empty
  if (size < layout.FRAME_HEAD_BYTES) return corrupt('size-out-of-range')
  if (available < layout.FRAME_HEAD_BYTES) return incompleteHead

  const magic = source.getInt32(at + layout.MAGIC_AT)
  if (magic === layout.MAGIC_BLANK) {
    return size <= limits.segmentBytes ? { kind: 'blank', size } : corrupt('size-out-of-range')
  }
  if (magic !== layout.MAGIC_V1 && magic !== layout.MAGIC_V2) return corrupt('unknown-magic')
  if (size < layout.RECORD_BYTES_MIN || size > limits.recordBytesMax) return corrupt('size-out-of-range')
  if (size > available) return { kind: 'incomplete', needed: size }
  if (!lengthsAgree(source, at, size, magic)) return corrupt('lengths-disagree')

  const stated = getInt64(source, at + layout.PHYSICAL_OFFSET_AT)
  if (!isOffset(stated) || (offset !== undefined && stated !== offset)) return corrupt('wrong-offset')
  return { kind: 'message', size }
}

/** The caller has seen that `size` bytes are there, and that they are enough for the shortest record. */
function lengthsAgree(source: DataView, at: number, size: number, magic: number): boolean {
  const end = at + size
  const bodyLengthAt = at + layout.bodyLengthAt(source.getInt32(at + layout.SYS_FLAG_AT))
  if (bodyLengthAt + 4 > end) return false
  const bodyBytes = source.getInt32(bodyLengthAt)
  const topicLengthAt = bodyLengthAt + 4 + bodyBytes
  const topicLengthBytes = magic === layout.MAGIC_V1 ? 1 : 2
  if (bodyBytes < 0 || topicLengthAt + topicLengthBytes > end) return false
  const topicBytes = topicLengthBytes === 1 ? source.getInt8(topicLengthAt) : source.getInt16(topicLengthAt)
  const propertiesLengthAt = topicLengthAt + topicLengthBytes + topicBytes
  if (topicBytes < 0 || propertiesLengthAt + 2 > end) return false
  const propertiesBytes = source.getInt16(propertiesLengthAt)
  return propertiesBytes >= 0 && propertiesLengthAt + 2 + propertiesBytes === end
}

const empty: FrameScan = { kind: 'empty' }
const incompleteHead: FrameScan = { kind: 'incomplete', needed: layout.FRAME_HEAD_BYTES }

function corrupt(why: FrameFault): FrameScan {
  return { kind: 'corrupt', why }
}
