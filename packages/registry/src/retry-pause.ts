import type { Random } from '@tandemmq/base'

const FIRST_MS = 50

/**
 * How long to wait before the next attempt to reach a registry, ms: not at all after a session that worked, then 50 ms and doubling up to `longestMs`;
 * a tenth is left to chance, so that not all come at once.
 */
export function retryPauseMs(failures: number, longestMs: number, random: Random): number {
  if (failures === 0) return 0
  const fullMs = Math.min(longestMs, FIRST_MS * 2 ** (failures - 1))
  return fullMs - random.below(Math.ceil(fullMs / 10))
}
