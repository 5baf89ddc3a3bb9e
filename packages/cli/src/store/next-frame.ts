import {
  FRAME_HEAD_BYTES,
  MAGIC_BLANK,
  MAGIC_V1,
  MAGIC_V2,
  bodyCrcMatches,
  scanFrame,
  type ScanLimits,
} from '@tandemmq/codec'

const WINDOW_BYTES = 1024 * 1024
const MAGIC_AT = 4
const magics = [MAGIC_V1, MAGIC_V2, MAGIC_BLANK].map((magic) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(magic)
  return bytes
})

/**
 * Log offset of the first sound record, or of the blank that ends the segment, in [`from`, `segmentEnd`): a record says itself where it
 * lies, and its body has a checksum, so nothing else looks like one. `undefined`: there is none.
 * @param read bytes at a log offset, as many as there are up to the end of the segment
 */
export function nextFrame(
  read: (offset: number, length: number) => Buffer,
  from: number,
  segmentEnd: number,
  limits: ScanLimits,
): number | undefined {
  for (let at = from; at + FRAME_HEAD_BYTES <= segmentEnd; at += WINDOW_BYTES) {
    const window = read(at, WINDOW_BYTES + FRAME_HEAD_BYTES - 1)
    for (const candidate of candidatesIn(window)) {
      if (isFrame(read, at + candidate, segmentEnd, limits)) return at + candidate
    }
  }
  return undefined
}

/** Where a frame may begin in the window, ascending. */
function candidatesIn(window: Buffer): readonly number[] {
  const found: number[] = []
  for (const magic of magics) {
    for (let at = window.indexOf(magic, MAGIC_AT); at !== -1; at = window.indexOf(magic, at + 1)) {
      if (at - MAGIC_AT < WINDOW_BYTES) found.push(at - MAGIC_AT)
    }
  }
  return found.toSorted((a, b) => a - b)
}

function isFrame(
  read: (offset: number, length: number) => Buffer,
  offset: number,
  segmentEnd: number,
  limits: ScanLimits,
): boolean {
  const head = read(offset, FRAME_HEAD_BYTES)
  const size = head.length < FRAME_HEAD_BYTES ? 0 : head.readInt32BE(0)
  if (size < FRAME_HEAD_BYTES || offset + size > segmentEnd) return false
  if (head.readInt32BE(MAGIC_AT) === MAGIC_BLANK) return offset + size === segmentEnd
  const bytes = read(offset, size)
  return scanFrame(bytes, 0, limits, offset).kind === 'message' && bodyCrcMatches(bytes, 0)
}
