import { BrokerError, type Clock } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import type { BrokerChannel } from './broker-channel.ts'

/** How an attempt ended that gave no answer to pass on. */
export type AttemptEnd =
  | { readonly kind: 'answered'; readonly messages: readonly Uint8Array[] }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** No longer wanted: `unwanted` fired. Whatever still comes is discarded. */
  | { readonly kind: 'unwanted' }
  | { readonly kind: 'late' }

/**
 * One call over one channel. The answer is kept back until it is complete, so that it can still be discarded. Ends at once when the client
 * leaves, when `unwanted` aborts and at `until` (monotonic, ms); the call is then cancelled.
 */
export function oneAttempt(
  channel: BrokerChannel,
  call: { readonly method: string; readonly request: Uint8Array; readonly context: CallContext },
  limits: { readonly until: number; readonly unwanted?: AbortSignal; readonly clock: Clock },
): Promise<AttemptEnd> {
  const { clock, until, unwanted } = limits
  const { signal } = call.context
  return new Promise((resolve) => {
    const cancel = new AbortController()
    const messages: Uint8Array[] = []
    const settle = (end: AttemptEnd): void => {
      timer?.cancel()
      signal.removeEventListener('abort', left)
      unwanted?.removeEventListener('abort', stop)
      resolve(end)
    }
    const quit = (end: AttemptEnd): void => {
      settle(end)
      cancel.abort(new BrokerError('UNAVAILABLE', 'nobody waits for this call any more'))
    }
    const left = (): void => quit({ kind: 'unwanted' })
    const stop = (): void => quit({ kind: 'unwanted' })
    const timer = Number.isFinite(until)
      ? clock.after(Math.max(0, until - clock.monotonic()), () => quit({ kind: 'late' }))
      : undefined
    signal.addEventListener('abort', left, { once: true })
    unwanted?.addEventListener('abort', stop, { once: true })
    channel
      .call(call.method, call.request, { ...call.context, signal: cancel.signal }, (message) =>
        messages.push(message),
      )
      .then(
        () => settle({ kind: 'answered', messages }),
        (error: unknown) => settle({ kind: 'failed', error }),
      )
  })
}
