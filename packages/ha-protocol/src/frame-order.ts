import type { LogOffset } from '@tandemmq/base'

/** What is wrong with a frame for a log that ends at `next`, in words; `any`: the log is empty. */
export function frameProblem(
  frame: { readonly offset: LogOffset; readonly size: number },
  next: LogOffset | 'any',
  segmentBytes: number,
): string | undefined {
  if (next !== 'any' && frame.offset !== next) return `a frame at ${frame.offset}, our log ends at ${next}`
  if ((frame.offset % segmentBytes) + frame.size > segmentBytes) {
    return `a frame of ${frame.size} bytes at ${frame.offset} crosses the end of a segment`
  }
  if (next === 'any' && frame.offset % segmentBytes !== 0) {
    return `the first frame for an empty log is at ${frame.offset}, not at the start of a segment`
  }
  return undefined
}
