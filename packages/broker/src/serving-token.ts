import { BrokerError } from '@tandemmq/base'
import type { CallContext, ServingToken } from '@tandemmq/messaging'

/** Where it is known under which epoch this broker may answer consumers now. */
export interface ServingKnowledge {
  /** `undefined`: not at all. */
  readonly servingEpoch: number | undefined
  /** Nobody else serves now, by the promise of all who could (rule 4.6). */
  readonly isPromised: boolean
  /** The newest epoch heard of; 0 = none. */
  readonly seenEpoch: number
}

/** Answers a call under the epoch held now, and only if the call's stamp is the same (rule 4.3); if it asks for it, by promise alone. */
export function servingToken(knowledge: () => ServingKnowledge): ServingToken {
  return {
    get epoch() {
      return knowledge().seenEpoch
    },
    check(context: CallContext): number {
      const { servingEpoch, seenEpoch, isPromised } = knowledge()
      if (
        servingEpoch === undefined ||
        (context.onPromise === true && !isPromised) ||
        (context.servingEpoch !== undefined && context.servingEpoch !== servingEpoch)
      ) {
        throw new BrokerError('NOT_SERVING', 'this broker does not serve consumers now', {
          facts: { servingEpoch: seenEpoch },
        })
      }
      return servingEpoch
    },
  }
}
