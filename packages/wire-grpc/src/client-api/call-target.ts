import type { CallContext } from '@tandemmq/messaging'

/**
 * Who answers the calls of the client API that only a broker can answer: a broker itself, or a gateway before several.
 * Requests and answers are the protobuf messages of apache.rocketmq.v2, as bytes.
 */
export interface CallTarget {
  /**
   * `method` is the plain name, for instance `SendMessage`. `reply` is called once per message of the answer, in order, and never after
   * the promise has settled. Business errors are statuses inside the answer. Rejects with a `BrokerError` if there is no answer:
   * `NOT_SERVING` (fact `servingEpoch`: the epoch this broker knows) refuses a stamped call (rule 4.3), before any reply.
   */
  call(
    method: string,
    request: Uint8Array,
    context: CallContext,
    reply: (message: Uint8Array) => void,
  ): Promise<void>
}

/** Where it becomes known that a consumer under auto-renew lives, or is gone. */
export interface ConsumerPresence {
  /** It was heard of: renews its presence. */
  seen(clientId: string, group: string): void
  /** What it holds under auto-renew shall become visible within a second. */
  gone(clientId: string, group: string): void
}
