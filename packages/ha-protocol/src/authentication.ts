import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * Proof of the set's secret (rule 2.2): HMAC-SHA-256 over who speaks and over both hellos without their MACs. Both
 * hold a fresh nonce, so neither side's proof can be replayed, and the role keeps one from being sent back as the other.
 */
export function proofOf(
  secret: Buffer,
  role: 'master' | 'slave',
  slaveHello: Buffer,
  masterHello: Buffer,
): Buffer {
  const hmac = createHmac('sha256', secret)
  for (const part of [Buffer.from(`tandemmq-ha ${role}`), slaveHello, masterHello]) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    hmac.update(length).update(part)
  }
  return hmac.digest()
}

/** Whether what a peer sent is what it should have: both absent, or equal. */
export function proves(given: Buffer | undefined, expected: Buffer | undefined): boolean {
  if (given === undefined || expected === undefined) return given === expected
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** In words, for a proof that failed. */
export function whyUnproven(
  given: Buffer | undefined,
  expected: Buffer | undefined,
  peer: string,
): { readonly reason: 'wrong-secret'; readonly words: string } {
  const words =
    given === undefined
      ? `${peer} has no secret configured, its peer has one`
      : expected === undefined
        ? `${peer} has a secret configured, its peer has none`
        : `${peer} has another secret than its peer`
  return { reason: 'wrong-secret', words }
}
