/** Thrown only when the program itself is wrong. Never caught to go on, never mapped to a response. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
}

/** States a fact: `invariant(reported <= durable, 'only durable bytes are reported')`. On in production. */
export function invariant(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new InvariantViolation(claim)
}

/** Closes a `switch` over a union: adding a member breaks the build here, not in production. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unreachable: ${JSON.stringify(value)}`)
}
