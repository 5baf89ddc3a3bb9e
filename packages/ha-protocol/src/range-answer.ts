import { BrokerError } from '@tandemmq/base'
import type { Control, LogRange } from '@tandemmq/codec'
import type { ReplicatedLog } from './replicated-log.ts'
import { VERIFIED_BYTES_MAX } from './range-verification.ts'

/** A slave's answer to a master that asks for the checksum of a range: `unchecked` where it does not have it, or cannot read it. */
export function answerCheck(log: ReplicatedLog, range: LogRange): Control {
  const { from, to } = range
  if (from < log.minOffset || to > log.end || to - from > VERIFIED_BYTES_MAX) return { unchecked: range }
  try {
    return { checked: { from, to, crc: log.checksum(from, to) } }
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    return { unchecked: range }
  }
}
