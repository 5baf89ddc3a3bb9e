import { invariant } from '@tandemmq/base'
import { FRAME_HEAD_BYTES, MAGIC_AT, MAGIC_BLANK, TOTAL_SIZE_AT } from './record-layout.ts'

/**
 * Bytes that a blank occupies. It claims the rest of its segment, but only these are written; every record leaves at
 * least as many behind it.
 */
export const BLANK_BYTES = FRAME_HEAD_BYTES

/** Writes the mark that the `remaining` (≥ 8) bytes of the segment, these eight included, are unused. Returns 8. */
export function encodeBlank(target: Buffer, at: number, remaining: number): number {
  invariant(remaining >= BLANK_BYTES, 'a segment always keeps room for its blank')
  target.writeInt32BE(remaining, at + TOTAL_SIZE_AT)
  target.writeInt32BE(MAGIC_BLANK, at + MAGIC_AT)
  return BLANK_BYTES
}
