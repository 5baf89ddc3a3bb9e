/**
 * A place in the sequence of one store's changes: which life of the process, and how many changes into it. Ordered, so it
 * also says which version of a topic or group is the newer one (rule: changes have their own sequence, not Apache's DataVersion).
 */
export interface Cursor {
  /** max(last one + 1, wall clock in ms) at the start of the process. */
  readonly processEpoch: number
  readonly counter: number
}

export const CURSOR_ZERO: Cursor = { processEpoch: 0, counter: 0 }

export function compareCursors(a: Cursor, b: Cursor): number {
  return a.processEpoch - b.processEpoch || a.counter - b.counter
}
