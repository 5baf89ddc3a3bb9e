import type { LogOffset } from '@tandemmq/base'
import type { ReplicatedLog } from './replicated-log.ts'

/** Compares `theirs`, which begin at `at`, with the bytes of our log there: as many as one read gives; `differsAt`: the first that is another one. */
export function overlapOf(
  log: Pick<ReplicatedLog, 'read' | 'end'>,
  at: LogOffset,
  theirs: Buffer,
): { readonly size: number; readonly differsAt?: LogOffset } {
  const own = log.read(at, Math.min(theirs.length, log.end - at))
  const same = theirs.subarray(0, own.length)
  if (own.equals(same)) return { size: own.length }
  return { size: own.length, differsAt: at + own.findIndex((byte, index) => byte !== same[index]) }
}
