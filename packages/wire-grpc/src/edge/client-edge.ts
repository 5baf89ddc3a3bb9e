import { BrokerError, messageOf, silentMeter, type Clock, type Logger, type Meter } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import type { CallTarget, ConsumerPresence } from '../client-api/call-target.ts'
import { decoded } from '../client-api/decoded.ts'
import { statusOf } from '../client-api/error-status.ts'
import { failureAnswer } from '../client-api/failure-answer.ts'
import { groupName } from '../client-api/resource-names.ts'
import { okStatus, StatusError } from '../client-api/status-error.ts'
import { wrongClientId } from './client-id.ts'
import { ClientRegistry, type ClientStream } from './client-registry.ts'
import { EdgeMetrics } from './edge-metrics.ts'
import { echoedEndpoints, type AdvertisedEndpoints } from './endpoints.ts'
import { giveBack } from './give-back.ts'
import { queryAssignment } from './query-assignment.ts'
import { queryRoute } from './query-route.ts'
import type { RouteCatalog } from './route-catalog.ts'
import { serveTelemetry, settingsCommand, type TelemetryCall } from './telemetry.ts'

const { ClientType } = rocketmq

export interface ClientEdgeParts {
  /** Who answers what the edge does not: a broker, or a gateway before several. */
  readonly target: CallTarget
  readonly presence: ConsumerPresence
  readonly catalog: RouteCatalog
  readonly clock: Clock
  readonly logger: Logger
  /** Default: nothing is counted. */
  readonly meter?: Meter
  /** Default: what the client itself asked (behind a gateway). */
  readonly endpoints?: AdvertisedEndpoints
}

type Handler = (request: Uint8Array, context: CallContext) => Promise<Uint8Array>

/**
 * Where the client API ends: routes, assignments, Telemetry, heartbeats and terminations are answered here, so that they go on when a broker
 * dies; everything else is passed on as bytes. The same edge stands before one broker and before a gateway.
 */
export class ClientEdge {
  readonly #parts: ClientEdgeParts
  readonly #clients: ClientRegistry
  readonly #metrics: EdgeMetrics
  readonly #streams = new Set<ClientStream>()
  readonly #handlers: ReadonlyMap<string, Handler>

  constructor(parts: ClientEdgeParts) {
    this.#parts = parts
    this.#clients = new ClientRegistry(parts.clock, parts.presence, settingsCommand)
    this.#metrics = new EdgeMetrics(parts.meter ?? silentMeter, () => this.#clients.connected())
    this.#handlers = this.#table()
  }

  /** How many clients are known. */
  get clientCount(): number {
    return this.#clients.size
  }

  /** How many Telemetry streams are open. */
  get streamCount(): number {
    return this.#streams.size
  }

  /** Answers one call. Rejects only if the program itself is at fault. */
  async call(
    method: string,
    request: Uint8Array,
    context: CallContext,
    reply: (message: Uint8Array) => void,
  ): Promise<void> {
    const { clock } = this.#parts
    const began = clock.monotonic()
    let isAnswered = false
    try {
      const wrong = wrongClientId(context.clientId)
      if (wrong) throw new StatusError(wrong.code, wrong.message)
      const handler = this.#handlers.get(method)
      if (handler) reply(await handler(request, context))
      else await this.#parts.target.call(method, request, context, reply)
      isAnswered = true
    } catch (thrown) {
      const status = statusOf(thrown)
      if (status === undefined) {
        this.#parts.logger.error({ method, error: messageOf(thrown) }, 'a call failed for an unknown reason')
        throw thrown
      }
      if (thrown instanceof BrokerError) {
        this.#parts.logger.debug({ method, code: thrown.code }, 'a call could not be answered')
      }
      for (const message of failureAnswer(method, request, status, clock.now())) reply(message)
    } finally {
      this.#metrics.called(method, isAnswered, clock.monotonic() - began)
    }
  }

  /** The frames of an answer to a ReceiveMessage did not reach the client. */
  async untaken(request: Uint8Array, frames: readonly Uint8Array[], context: CallContext): Promise<void> {
    await giveBack(request, frames, context, this.#parts)
  }

  telemetry(call: TelemetryCall, context: CallContext): void {
    const { catalog, logger } = this.#parts
    serveTelemetry(call, context, { clients: this.#clients, streams: this.#streams, catalog, logger })
  }

  /** Ends every Telemetry stream. */
  close(): void {
    this.#clients.close()
    for (const stream of this.#streams) stream.end()
  }

  #table(): ReadonlyMap<string, Handler> {
    const { catalog, endpoints = echoedEndpoints } = this.#parts
    return new Map<string, Handler>([
      [
        'QueryRoute',
        async (bytes, { clientId }) => {
          const request = decoded(() => rocketmq.QueryRouteRequest.decode(bytes))
          try {
            return rocketmq.QueryRouteResponse.encode(await queryRoute(request, catalog, endpoints)).finish()
          } finally {
            this.#clients.routed(clientId)
          }
        },
      ],
      [
        'QueryAssignment',
        async (bytes) => {
          const request = decoded(() => rocketmq.QueryAssignmentRequest.decode(bytes))
          return rocketmq.QueryAssignmentResponse.encode(
            await queryAssignment(request, catalog, endpoints),
          ).finish()
        },
      ],
      [
        'Heartbeat',
        async (bytes, { clientId }) => {
          const request = decoded(() => rocketmq.HeartbeatRequest.decode(bytes))
          const isPush =
            request.clientType === ClientType.PUSH_CONSUMER ||
            request.clientType === ClientType.LITE_PUSH_CONSUMER
          const group = request.group && groupName(request.group)
          // Unknown clients are welcome: most would not send their settings again if they were told to.
          this.#clients.heard(clientId, isPush ? group : undefined)
          return rocketmq.HeartbeatResponse.encode({ status: okStatus }).finish()
        },
      ],
      [
        'NotifyClientTermination',
        async (bytes, { clientId }) => {
          const { group } = decoded(() => rocketmq.NotifyClientTerminationRequest.decode(bytes))
          this.#clients.terminated(clientId, group?.name ? groupName(group) : undefined)
          return rocketmq.NotifyClientTerminationResponse.encode({ status: okStatus }).finish()
        },
      ],
    ])
  }
}
