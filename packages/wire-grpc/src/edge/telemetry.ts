import { Metadata, status as GrpcStatus, type ServerDuplexStream } from '@grpc/grpc-js'
import { messageOf, type Logger } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { StatusError, okStatus } from '../client-api/status-error.ts'
import { wrongClientId } from './client-id.ts'
import type { ClientRegistry, ClientStream } from './client-registry.ts'
import type { RouteCatalog } from './route-catalog.ts'
import { settingsAnswer } from './settings-answer.ts'

const { ClientType } = rocketmq

/** Commands that may wait for a client to read them: it is told little, and mostly when it asks. */
const UNREAD_MAX = 100

export type TelemetryCall = ServerDuplexStream<rocketmq.TelemetryCommand, rocketmq.TelemetryCommand>

export interface TelemetryParts {
  readonly clients: ClientRegistry
  /** The streams that are open, whatever has been said on them. */
  readonly streams: Set<ClientStream>
  readonly catalog: RouteCatalog
  readonly logger: Logger
}

/** Says settings on a stream, as Apache's proxy does. */
export function settingsCommand(settings: rocketmq.Settings): rocketmq.TelemetryCommand {
  return { status: okStatus, command: { $case: 'settings', value: settings } }
}

/** One Telemetry stream, from its opening to its end. It is never closed from here without need: some clients never open it again. */
export function serveTelemetry(call: TelemetryCall, context: CallContext, parts: TelemetryParts): void {
  // The Rust client waits for nothing but these.
  call.sendMetadata(new Metadata())
  let isOpen = true
  const stream: ClientStream = {
    send: (command) => {
      if (!isOpen) return
      if (call.writableLength < UNREAD_MAX) call.write(command)
      else fail(GrpcStatus.RESOURCE_EXHAUSTED, 'the client does not read what it is told')
    },
    end: () => {
      if (isOpen) call.end()
      leave()
    },
  }
  const leave = (): void => {
    isOpen = false
    parts.streams.delete(stream)
    parts.clients.left(context.clientId, stream)
  }
  parts.streams.add(stream)
  const fail = (code: GrpcStatus, details: string): void => {
    leave()
    call.emit('error', { code, details })
  }
  const status = wrongClientId(context.clientId)
  if (status !== undefined) {
    stream.send({ status, command: undefined })
    stream.end()
    return
  }
  call.on('data', (command: rocketmq.TelemetryCommand) => {
    if (command.command?.$case !== 'settings' || !isOpen) return
    try {
      const settings = settingsAnswer(command.command.value, context, (group) => parts.catalog.group(group))
      if (settings) parts.clients.agreed(context.clientId, stream, settings, autoRenewGroup(settings))
      else fail(GrpcStatus.INVALID_ARGUMENT, 'there is no publishing or subscription data in settings')
    } catch (thrown) {
      if (thrown instanceof StatusError) return fail(GrpcStatus.INVALID_ARGUMENT, thrown.message)
      parts.logger.error({ error: messageOf(thrown) }, 'settings of a client could not be processed')
      fail(GrpcStatus.INTERNAL, 'the settings could not be processed')
    }
  })
  call.on('end', () => stream.end())
  call.on('cancelled', leave)
  call.on('error', leave)
}

/** The group of a consumer whose leases are renewed while it lives: a push consumer. */
function autoRenewGroup({ clientType, pubSub }: rocketmq.Settings): string | undefined {
  if (clientType !== ClientType.PUSH_CONSUMER && clientType !== ClientType.LITE_PUSH_CONSUMER)
    return undefined
  return pubSub?.$case === 'subscription' ? pubSub.value.group?.name : undefined
}
