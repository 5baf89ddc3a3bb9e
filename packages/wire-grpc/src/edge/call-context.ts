import type { Metadata } from '@grpc/grpc-js'
import { BrokerError, type Clock } from '@tandemmq/base'
import { unmappedIp, type Host } from '@tandemmq/codec'
import type { CallContext } from '@tandemmq/messaging'

/** What is used of a call of grpc-js. */
export interface IncomingCall {
  readonly metadata: Metadata
  getPeer(): string
  getDeadline(): Date | number
  on(event: 'cancelled', listener: () => void): unknown
}

/** One for all calls: grpc-js says `cancelled` at the end of each, also of those that went well. */
const over = new BrokerError('UNAVAILABLE', 'the call is over')

/** Who calls, and how long they wait. A client id that was not sent is empty. */
export function callContext(call: IncomingCall, clock: Clock): CallContext {
  const controller = new AbortController()
  call.on('cancelled', () => controller.abort(over))
  const deadline = monotonicDeadline(call.getDeadline(), clock)
  return {
    clientId: header(call.metadata, 'x-mq-client-id'),
    peer: hostOf(call.getPeer()),
    language: header(call.metadata, 'x-mq-language'),
    clientVersion: header(call.metadata, 'x-mq-client-version'),
    ...(deadline === undefined ? {} : { deadline }),
    signal: controller.signal,
  }
}

function header(metadata: Metadata, name: string): string {
  const [value] = metadata.get(name)
  return typeof value === 'string' ? value.trim() : ''
}

/** `getDeadline` is wall clock; infinite if the client sent none. */
function monotonicDeadline(deadline: Date | number, clock: Clock): number | undefined {
  const at = Number(deadline)
  return Number.isFinite(at) ? clock.monotonic() + (at - clock.now()) : undefined
}

/** `1.2.3.4:5678`, `[::1]:5678` or `::1:5678`. */
function hostOf(peer: string): Host {
  const colon = peer.lastIndexOf(':')
  const port = Number(peer.slice(colon + 1))
  const ip = unmappedIp(peer.slice(0, colon).replace(/^\[(.*)\]$/, '$1'))
  return colon > 0 && Number.isInteger(port) ? { ip, port } : { ip: '0.0.0.0', port: 0 }
}
