import { type ChannelOptions, type Metadata, type ServiceError } from '@grpc/grpc-js'
import type { BrokerError } from '@tandemmq/base'
import { errorOf } from './rpc-status.ts'
import type { ProofCheck } from './set-secret.ts'

/** The largest message our own services exchange, bytes. */
const INTERNAL_MESSAGE_BYTES_MAX = 16 * 1024 * 1024

/**
 * For connections between our own processes. A new client is made for every attempt, so that nobody's back-off but ours
 * decides when the next one is.
 */
export const internalChannelOptions: ChannelOptions = {
  'grpc.max_receive_message_length': INTERNAL_MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': INTERNAL_MESSAGE_BYTES_MAX,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.keepalive_time_ms': 5000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc-node.flow_control_window': 1024 * 1024,
}

/** What we use of a call's events; all streaming calls of grpc-js have them. */
export interface CallEvents {
  on(event: 'metadata', listener: (initial: Metadata) => void): unknown
  on(event: 'error', listener: (error: ServiceError) => void): unknown
  on(event: 'end', listener: () => void): unknown
  cancel(): void
}

/**
 * Tells once how a call of ours ended: with the error it was at the server, or with nothing when the server ended it well.
 * A server that cannot prove that it knows the secret is left before anything it says is heard.
 */
export function watchCall(
  call: CallEvents,
  checkProof: ProofCheck,
  onEnd: (error: BrokerError | undefined) => void,
): void {
  let isOver = false
  const end = (error: BrokerError | undefined): void => {
    if (isOver) return
    isOver = true
    onEnd(error)
  }
  call.on('metadata', (initial) => {
    try {
      checkProof(initial)
    } catch (thrown) {
      end(errorOf(thrown))
      call.cancel()
    }
  })
  call.on('error', (error) => end(errorOf(error)))
  call.on('end', () => end(undefined))
}
