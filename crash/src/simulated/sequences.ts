import { steps, type Step } from './steps.ts'

/**
 * Every sequence of up to `depth` steps, the shorter ones first, so that a fault is shown by the shortest; in groups that share all but their last
 * step, and with it most of what their crashes leave.
 */
export function groupedSequences(depth: number): readonly (readonly (readonly Step[])[])[] {
  const groups: (readonly (readonly Step[])[])[] = [[[]]]
  let longest: readonly (readonly Step[])[] = [[]]
  for (let length = 1; length <= depth; length += 1) {
    const next = longest.map((sequence) => steps.map((step) => [...sequence, step]))
    groups.push(...next)
    longest = next.flat()
  }
  return groups
}
