/** All in milliseconds on the monotonic clock. */
export interface HaTimings {
  /** From a connection's first instant to the end of its handshake. */
  readonly handshakeMs: number
  /** A side that has said nothing for this long says something (rule 2.5). */
  readonly heartbeatMs: number
  /** A peer that has said nothing for this long is gone (rule 2.5). */
  readonly silenceMs: number
  /** How long the holder of a contested identity has to answer (rule 2.4). */
  readonly rivalMs: number
  /** First and longest wait between two attempts that fail. */
  readonly backOffMs: number
  readonly backOffMaxMs: number
  /** Wait after a refusal that only an operator can cure. */
  readonly refusedMs: number
  /** A stream that lived this long is followed by a reconnect at once. */
  readonly settledMs: number
  /** How long a slave that stops goes on copying what still counts on it. */
  readonly leavingMs: number
}

export const defaultTimings: HaTimings = {
  handshakeMs: 5_000,
  heartbeatMs: 1_000,
  silenceMs: 3_000,
  rivalMs: 1_000,
  backOffMs: 100,
  backOffMaxMs: 1_000,
  refusedMs: 5_000,
  settledMs: 1_000,
  leavingMs: 1_000,
}

/** The pace of Apache's default HA protocol, for peers that say no hello. */
export const apacheTimings: HaTimings = { ...defaultTimings, heartbeatMs: 5_000, silenceMs: 20_000 }
