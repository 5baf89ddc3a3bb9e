/** A pending call of {@link Clock.after}. */
export interface Timer {
  /** Prevents the call if it has not happened yet. Safe to call at any time, any number of times. */
  cancel(): void
}

/** Time, as the broker sees it. Injected, so that a whole cluster can run on simulated time. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. May jump; use it for timestamps, never for deadlines. */
  now(): number
  /** Milliseconds on a clock that never goes back. Only differences mean something. */
  monotonic(): number
  /** Calls `task` once, `delayMs` (≥ 0) from now. A pending timer does not keep the process alive. */
  after(delayMs: number, task: () => void): Timer
}
