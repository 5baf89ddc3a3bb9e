import type { Metadata, ServiceError } from '@grpc/grpc-js'
import { BrokerError } from '@tandemmq/base'
import { errorOf } from './rpc-status.ts'
import type { Purpose, SetSecret } from './set-secret.ts'

/** How grpc-js tells of the answer to a call. */
export type Answered<Result> = (error: ServiceError | null, result: Result) => void

/** What we use of a call with a single answer. */
export interface SingleCallEvents {
  on(event: 'metadata', listener: (initial: Metadata) => void): unknown
  cancel(): void
}

/** A call of ours with a single answer. */
export interface SingleCall<Call extends SingleCallEvents, Result> {
  /** The connection of this call; closed after it. */
  readonly client: { close(): void }
  readonly secret: SetSecret
  readonly purpose: Purpose
  /** For people, for instance `the broker at 10.0.0.1:8081`. */
  readonly peer: string
  readonly begin: (metadata: Metadata, done: Answered<Result>) => Call
}

/**
 * Begins it. The answer counts only if the server has proven itself; `answered` rejects with `BrokerError`, with `UNAVAILABLE` when `signal` aborts.
 */
export function singleCall<Call extends SingleCallEvents, Result>(
  { client, secret, purpose, peer, begin }: SingleCall<Call, Result>,
  signal: AbortSignal,
): { readonly call: Call; readonly answered: Promise<Result> } {
  const { promise: answered, resolve, reject } = Promise.withResolvers<Result>()
  const { metadata, checkProof } = secret.sign(purpose)
  let distrust: BrokerError | undefined
  const abort = (): void => call.cancel()
  const call = begin(metadata, (error, result) => {
    signal.removeEventListener('abort', abort)
    client.close()
    if (signal.aborted) reject(new BrokerError('UNAVAILABLE', `${peer} did not answer in time`))
    else if (distrust ?? error) reject(distrust ?? errorOf(error))
    else resolve(result)
  })
  call.on('metadata', (initial: Metadata) => {
    try {
      checkProof(initial)
    } catch (thrown) {
      distrust = errorOf(thrown)
      call.cancel()
    }
  })
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return { call, answered }
}
