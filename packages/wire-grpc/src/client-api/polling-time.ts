import type { Duration } from '@tandemmq/rpc'
import { durationMs } from './duration-ms.ts'

const POLL_MIN_MS = 5_000
const POLL_MAX_MS = 20_000
/** The answer has to be on its way before the client gives up. */
export const ANSWER_MARGIN_MS = 300

/**
 * How long a receive waits when nothing is there: what the client asks for (without that, what its deadline leaves), within 5-20 s as in
 * Apache's proxy, and always less than the client waits. A deadline too short for polling is no error here: what is there is returned.
 */
export function pollingTimeMs(asked: Duration | undefined, remainingMs: number): number {
  const left = Math.max(0, remainingMs - ANSWER_MARGIN_MS)
  const wanted = asked === undefined ? left : durationMs(asked)
  return Math.min(Math.max(POLL_MIN_MS, Math.min(wanted, POLL_MAX_MS)), left)
}
