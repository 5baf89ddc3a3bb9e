/** Randomness, injected so that a simulated cluster replays exactly from a seed. */
export interface Random {
  /** `count` random bytes; cryptographically strong in production. */
  bytes(count: number): Buffer
  /** An integer in [0, bound). */
  below(bound: number): number
}
