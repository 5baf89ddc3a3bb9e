import { messageOf, type Logger } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import type { ServingView } from '@tandemmq/registry'
import { rocketmq } from '@tandemmq/rpc'
import type { ConsumerPresence } from '../client-api/call-target.ts'
import type { BrokerChannels } from './broker-channel.ts'

/** Tells whoever serves which consumers live and which are gone. What gets lost is made good by the next heartbeat or poll, or by expiry. */
export class GatewayPresence implements ConsumerPresence {
  readonly #view: ServingView
  readonly #channels: BrokerChannels
  readonly #logger: Logger

  constructor(view: ServingView, channels: BrokerChannels, logger: Logger) {
    this.#view = view
    this.#channels = channels
    this.#logger = logger
  }

  seen(clientId: string, group: string): void {
    const clientType = rocketmq.ClientType.PUSH_CONSUMER
    const request = rocketmq.HeartbeatRequest.encode({
      group: { resourceNamespace: '', name: group },
      clientType,
    })
    this.#tell('Heartbeat', request.finish(), clientId)
  }

  gone(clientId: string, group: string): void {
    const request = rocketmq.NotifyClientTerminationRequest.encode({
      group: { resourceNamespace: '', name: group },
    })
    this.#tell('NotifyClientTermination', request.finish(), clientId)
  }

  #tell(method: string, request: Uint8Array, clientId: string): void {
    for (const { set, serving } of this.#view.sets) {
      if (serving === undefined) continue
      const channel = this.#channels.to(serving.grpcAddress)
      if (!channel.isOpen) continue
      const context: CallContext = {
        clientId,
        peer: { ip: '0.0.0.0', port: 0 },
        language: '',
        clientVersion: '',
        servingEpoch: serving.epoch,
        signal: new AbortController().signal,
      }
      channel
        .call(method, request, context, () => {})
        .catch((thrown: unknown) => {
          this.#logger.debug(
            { set, method, error: messageOf(thrown) },
            'a broker could not be told about a consumer',
          )
        })
    }
  }
}
