import type { Logger } from '@tandemmq/base'

/** A wall clock that differs by more is warned about (rule 5.9). */
const WARNED_MS = 1_000

/**
 * Tells that the clock of a peer is ahead. Only that is certain: a time that a peer has said may have been on its way, or waited for a process that was
 * stopped, so that it looks earlier than it was, never later. Where clocks differ, the side whose clock is behind warns.
 * @param facts who the peer is
 * @param aheadMs what the peer said was its time, minus ours when we read it
 */
export function warnOfClockAhead(
  logger: Logger,
  facts: Readonly<Record<string, unknown>>,
  aheadMs: number,
): void {
  if (aheadMs > WARNED_MS)
    logger.warn({ ...facts, aheadMs }, 'the clock of the other broker is ahead of ours')
}
