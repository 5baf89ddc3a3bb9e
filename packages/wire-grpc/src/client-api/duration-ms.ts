import type { Duration } from '@tandemmq/rpc'

/** Whole milliseconds, rounded down; absent counts as 0. */
export function durationMs(duration: Duration | undefined): number {
  return duration === undefined ? 0 : duration.seconds * 1000 + Math.floor(duration.nanos / 1_000_000)
}

/** The duration of `ms` ≥ 0 milliseconds. */
export function durationOf(ms: number): Duration {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 }
}
