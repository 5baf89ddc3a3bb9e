import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '@tandemmq/base'

/** The system's cryptographically strong randomness. */
export class NodeRandom implements Random {
  bytes(count: number): Buffer {
    return randomBytes(count)
  }

  /** `bound` in [1, 2^48). */
  below(bound: number): number {
    return randomInt(bound)
  }
}
