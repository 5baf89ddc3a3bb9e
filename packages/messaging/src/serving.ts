import { BrokerError } from '@tandemmq/base'

/** The part of a call's context that decides whether it is answered. */
interface Stamped {
  readonly servingEpoch?: number
  readonly onPromise?: boolean
}

/** The serving token as this broker sees it (rules 4.1, 4.3). */
export interface ServingToken {
  /**
   * The serving epoch under which this call may be answered now.
   * Throws `NOT_SERVING` with fact `servingEpoch` (the epoch known here) if the token is not held, the call's stamp is another epoch's,
   * or it asks for a promise that there is not.
   */
  check(context: Stamped): number
  /** The newest epoch known here; 0 = none. */
  readonly epoch: number
}

/** Asks the token, and can be shut from inside: after a seal nobody is served, whatever the token says (rule 4.7). */
export class ServingGate {
  readonly #token: ServingToken
  #sealed = false

  constructor(token: ServingToken) {
    this.#token = token
  }

  check(context: Stamped): number {
    if (this.#sealed) throw this.refusal()
    return this.#token.check(context)
  }

  /** Whether this broker may decide anything about deliveries at this instant. */
  get isOpen(): boolean {
    try {
      this.check({})
      return true
    } catch (cause) {
      if (cause instanceof BrokerError && cause.code === 'NOT_SERVING') return false
      throw cause
    }
  }

  seal(): void {
    this.#sealed = true
  }

  unseal(): void {
    this.#sealed = false
  }

  refusal(): BrokerError {
    return new BrokerError('NOT_SERVING', 'this broker does not serve consumers now', {
      facts: { servingEpoch: this.#token.epoch },
    })
  }
}
