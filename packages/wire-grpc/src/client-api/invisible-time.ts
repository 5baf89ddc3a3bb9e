import type { Duration } from '@tandemmq/rpc'
import { rocketmq } from '@tandemmq/rpc'
import { durationMs } from './duration-ms.ts'
import { StatusError } from './status-error.ts'

const RECEIVE_MIN_MS = 10_000
const MAX_MS = 12 * 3600 * 1000

/** Between 10 s and 12 h. Throws ILLEGAL_INVISIBLE_TIME with Apache's words, which its clients' tests match. */
export function receiveInvisibleMs(duration: Duration | undefined): number {
  return within(durationMs(duration), RECEIVE_MIN_MS)
}

/** Between 0 (visible at once) and 12 h. */
export function changedInvisibleMs(duration: Duration | undefined): number {
  return within(durationMs(duration), 0)
}

function within(ms: number, min: number): number {
  if (ms < min) throw illegal(`the invisibleTime is too small. min is ${min}`)
  if (ms > MAX_MS) throw illegal(`the invisibleTime is too large. max is ${MAX_MS}`)
  return ms
}

function illegal(why: string): StatusError {
  return new StatusError(rocketmq.Code.ILLEGAL_INVISIBLE_TIME, why)
}
