import { unreachable } from '@tandemmq/base'
import type { LogOffset } from '@tandemmq/base'
import { decodeLineage, encodeLineage } from './ha-lineage-field.ts'
import { decodeRefusal, writeRefusal } from './ha-refusal.ts'
import type { Refusal } from './ha-refusal.ts'
import { Fields, FieldWriter, required } from './ha-tagged-fields.ts'
import type { Lineage } from './lineage.ts'

/** A master's last word in the handshake (rule 2.2). */
export type Answer =
  /** Data frames follow, the first at `at`. */
  | {
      readonly kind: 'accept'
      readonly at: LogOffset
      readonly lineage: Lineage
      /** Reports count only what is on disk. */
      readonly flushRequired: boolean
      /** Whether this replica can complete a send; false if it cannot flush where that is required. */
      readonly counted: boolean
    }
  /** Cut your log to `at` (rule 1.3), then say hello again. */
  | { readonly kind: 'truncate'; readonly at: LogOffset; readonly lineage: Lineage }
  /** What would come next for you is no longer kept: give up your log, say hello again and start at `at`. */
  | { readonly kind: 'start-over'; readonly at: LogOffset; readonly lineage: Lineage }
  /** The master lacks what you hold from `at` on: send it, in frames like its own (rule 3.2). */
  | { readonly kind: 'lend'; readonly at: LogOffset }
  /** Not yet; come again. */
  | { readonly kind: 'wait'; readonly refusal: Refusal }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }

const TAG = { verdict: 1, at: 2, lineage: 8, flushRequired: 12, counted: 17 } as const
const verdicts: readonly Answer['kind'][] = ['accept', 'refuse', 'truncate', 'start-over', 'wait', 'lend']

export function encodeAnswer(answer: Answer): Buffer {
  const fields = new FieldWriter().byte(TAG.verdict, verdicts.indexOf(answer.kind))
  switch (answer.kind) {
    case 'accept':
      fields.byte(TAG.flushRequired, answer.flushRequired ? 1 : 0).byte(TAG.counted, answer.counted ? 1 : 0)
      fields.integer(TAG.at, answer.at).bytes(TAG.lineage, encodeLineage(answer.lineage))
      return fields.finish()
    case 'truncate':
    case 'start-over':
      return fields.integer(TAG.at, answer.at).bytes(TAG.lineage, encodeLineage(answer.lineage)).finish()
    case 'lend':
      return fields.integer(TAG.at, answer.at).finish()
    case 'wait':
    case 'refuse':
      writeRefusal(fields, answer.refusal)
      return fields.finish()
    default:
      return unreachable(answer)
  }
}

/** Throws `PROTOCOL_VIOLATION` for a missing or malformed field. */
export function decodeAnswer(body: Buffer): Answer {
  const fields = new Fields(body)
  const kind = required(verdicts[fields.byte(TAG.verdict) ?? -1], 'the verdict of an answer')
  switch (kind) {
    case 'accept':
      return {
        kind,
        ...destination(fields),
        flushRequired: required(fields.byte(TAG.flushRequired), 'the flush of an answer') !== 0,
        counted: required(fields.byte(TAG.counted), 'whether an answer counts us') !== 0,
      }
    case 'truncate':
    case 'start-over':
      return { kind, ...destination(fields) }
    case 'lend':
      return { kind, at: required(fields.offset(TAG.at), 'the offset of an answer') }
    case 'wait':
    case 'refuse':
      return { kind, refusal: required(decodeRefusal(fields), 'the reason of an answer') }
    default:
      return unreachable(kind)
  }
}

function destination(fields: Fields): { readonly at: LogOffset; readonly lineage: Lineage } {
  return {
    at: required(fields.offset(TAG.at), 'the offset of an answer'),
    lineage: decodeLineage(required(fields.bytes(TAG.lineage), 'the lineage of an answer')),
  }
}
