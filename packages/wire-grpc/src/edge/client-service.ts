import {
  status as GrpcStatus,
  type MethodDefinition,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
  type sendUnaryData,
} from '@grpc/grpc-js'
import type { Clock } from '@tandemmq/base'
import { rocketmq } from '@tandemmq/rpc'
import { callContext } from './call-context.ts'
import type { ClientEdge } from './client-edge.ts'
import type { TelemetryCall } from './telemetry.ts'
import { defaultUnreadLimits, UnreadAnswers } from './unread-answers.ts'

const SERVICE = '/apache.rocketmq.v2.MessagingService/'

/** What is answered with one message. Methods that are not named here are UNIMPLEMENTED, as in Apache's proxy. */
const UNARY = [
  'QueryRoute',
  'Heartbeat',
  'SendMessage',
  'QueryAssignment',
  'AckMessage',
  'ForwardMessageToDeadLetterQueue',
  'EndTransaction',
  'NotifyClientTermination',
  'ChangeInvisibleDuration',
  'RecallMessage',
]

/** The client API of apache.rocketmq.v2, to be added to a server of grpc-js. */
export interface ClientService {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
}

/** @param cut closes the connection from this `host:port`, which does not take its answers */
export function clientService(
  edge: ClientEdge,
  clock: Clock,
  cut: (peer: string) => void,
  limits = defaultUnreadLimits,
): ClientService {
  const unread = new UnreadAnswers(limits, cut)
  const implementation: UntypedServiceImplementation = {
    ReceiveMessage: (call: ServerWritableStream<Uint8Array, Uint8Array>) =>
      serveReceive(edge, clock, unread, call),
    Telemetry: (call: TelemetryCall) => edge.telemetry(call, callContext(call, clock)),
  }
  const definition: Record<string, ServiceDefinition[string]> = {
    ReceiveMessage: passedThrough('ReceiveMessage', true),
    Telemetry: rocketmq.MessagingServiceService.telemetry,
  }
  for (const method of UNARY) {
    definition[method] = passedThrough(method, false)
    implementation[method] = (
      call: ServerUnaryCall<Uint8Array, Uint8Array>,
      done: sendUnaryData<Uint8Array>,
    ) => serveUnary(method, edge, clock, call, done)
  }
  return { definition, implementation }
}

function serveUnary(
  method: string,
  edge: ClientEdge,
  clock: Clock,
  call: ServerUnaryCall<Uint8Array, Uint8Array>,
  done: sendUnaryData<Uint8Array>,
): void {
  let answer: Uint8Array | undefined
  const context = callContext(call, clock)
  edge
    .call(method, call.request, context, (message) => {
      answer = message
    })
    .then(
      () => {
        if (answer) done(null, answer)
        else done({ code: GrpcStatus.INTERNAL, details: 'no answer was made' })
      },
      () => done({ code: GrpcStatus.INTERNAL, details: 'the call failed inside the broker' }),
    )
}

function serveReceive(
  edge: ClientEdge,
  clock: Clock,
  unread: UnreadAnswers,
  call: ServerWritableStream<Uint8Array, Uint8Array>,
): void {
  const context = callContext(call, clock)
  const { signal } = context
  const frames: Uint8Array[] = []
  const peer = call.getPeer()
  let unwritten = 0
  let unreadBytes = 0
  // Also fires when all is done; then nothing is unwritten.
  signal.addEventListener('abort', () => {
    if (unwritten > 0) void edge.untaken(call.request, frames, context)
    unread.gone(peer, unreadBytes)
    unreadBytes = 0
  })
  edge
    .call('ReceiveMessage', call.request, context, (message) => {
      if (signal.aborted) return
      frames.push(message)
      unwritten += 1
      unreadBytes += message.length
      call.write(message, (error: unknown) => {
        if (error || signal.aborted) return
        unwritten -= 1
        unreadBytes -= message.length
        unread.gone(peer, message.length)
      })
      unread.made(peer, message.length)
    })
    .then(
      () => {
        if (!signal.aborted) call.end()
      },
      () => call.emit('error', { code: GrpcStatus.INTERNAL, details: 'the call failed inside the broker' }),
    )
}

/** Requests and answers stay the bytes they are. */
function passedThrough(method: string, responseStream: boolean): MethodDefinition<Uint8Array, Uint8Array> {
  return {
    path: SERVICE + method,
    requestStream: false,
    responseStream,
    requestSerialize: bufferOf,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: bufferOf,
    responseDeserialize: (bytes) => bytes,
  }
}

/** The same memory. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
