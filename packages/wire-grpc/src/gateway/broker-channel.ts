import type { CallContext } from '@tandemmq/messaging'

/** The way from a gateway to one broker: one stream that carries many calls. */
export interface BrokerChannel {
  /** Whether a call made now leaves at once. */
  readonly isOpen: boolean
  /**
   * Passes a call on. `context.servingEpoch` travels as its stamp, `context.deadline` as remaining time, an abort of `context.signal` as
   * a cancel. `reply` is called once per answer message, in order, and never after the promise has settled.
   *
   * Rejects with `UNAVAILABLE` if nothing of the call has left (the channel is not open, or broke before), `FATE_UNKNOWN` if it has left
   * and the channel broke before its end, `NOT_SERVING` (fact `servingEpoch`) if the broker refused the stamp, or with the failure that the
   * broker stated.
   */
  call(
    method: string,
    request: Uint8Array,
    context: CallContext,
    reply: (message: Uint8Array) => void,
  ): Promise<void>
}

/** All brokers that a gateway can reach. */
export interface BrokerChannels {
  /** The channel to a broker's gRPC address (`host:port`); it comes to be, and connects, when first asked for. */
  to(grpcAddress: string): BrokerChannel
  /** Calls `listener` when the channel to this address opens or closes. Returns how to stop. */
  onChange(listener: (grpcAddress: string) => void): () => void
}
