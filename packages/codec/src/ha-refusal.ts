import type { Fields, FieldWriter } from './ha-tagged-fields.ts'

/** Why one side does not go on. */
export interface Refusal {
  /** A short name such as `wrong-set`: stable, for metrics and tests. A peer may send one that we do not know. */
  readonly reason: string
  /** A sentence for the operator, logged by both sides. */
  readonly words: string
}

const TAG_REASON = 32
const TAG_WORDS = 33
const REASON_BYTES_MAX = 64
const WORDS_BYTES_MAX = 2048

export function writeRefusal(fields: FieldWriter, refusal: Refusal): void {
  const words = Buffer.from(refusal.words, 'utf8').subarray(0, WORDS_BYTES_MAX)
  fields.text(TAG_REASON, refusal.reason).bytes(TAG_WORDS, words)
}

export function decodeRefusal(fields: Fields): Refusal | undefined {
  const reason = fields.text(TAG_REASON, REASON_BYTES_MAX)
  if (reason === undefined) return undefined
  return { reason, words: fields.text(TAG_WORDS, WORDS_BYTES_MAX) ?? '' }
}
