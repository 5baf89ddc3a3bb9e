import type { ServerDuplexStream } from '@grpc/grpc-js'
import { BrokerError, type Clock, type Logger } from '@tandemmq/base'
import type { RegistryLink, RegistrySession } from '@tandemmq/registry'
import { registry as wire } from '@tandemmq/rpc'
import { failureOf } from '../rpc-status.ts'
import type { GrpcServer } from '../server.ts'
import type { SetSecretGuard } from '../set-secret.ts'
import { answerToWire, helloFromWire, statusFromWire } from './registry-messages.ts'

/** Who opens a stream and says nothing is hung up on after this long. */
const HELLO_TIMEOUT_MS = 3000

export interface RegistryServicePorts {
  readonly clock: Clock
  readonly logger: Logger
}

type MemberStream = ServerDuplexStream<wire.MemberMessage, wire.RegistryAnswer>

/** Serves a registry to brokers in other processes. */
export function addRegistryService(
  server: GrpcServer,
  registry: RegistryLink,
  guard: SetSecretGuard,
  ports: RegistryServicePorts,
): void {
  server.add(wire.RegistryService, {
    register: (stream: MemberStream) => serve(stream, registry, guard, ports),
  })
}

function serve(
  stream: MemberStream,
  registry: RegistryLink,
  guard: SetSecretGuard,
  { clock, logger }: RegistryServicePorts,
): void {
  let session: RegistrySession | undefined
  let isOver = false
  const leave = (): void => {
    isOver = true
    timer.cancel()
    session?.close()
  }
  const refuse = (thrown: unknown): void => {
    if (isOver) return
    leave()
    const failure = failureOf(thrown)
    const facts = { peer: stream.getPeer(), why: failure.details }
    // Nobody is at fault when the registry itself stops.
    if (thrown instanceof BrokerError && thrown.code === 'UNAVAILABLE')
      logger.debug(facts, 'registration ended')
    else logger.warn(facts, 'registration ended')
    stream.emit('error', failure)
  }
  const timer = clock.after(HELLO_TIMEOUT_MS, () => {
    refuse(new BrokerError('PROTOCOL_VIOLATION', `no hello came within ${HELLO_TIMEOUT_MS} ms`))
  })
  let caller: string
  try {
    const checked = guard.check('registry', stream.metadata)
    caller = checked.identity
    stream.sendMetadata(checked.proof)
  } catch (thrown) {
    refuse(thrown)
    return
  }

  const hear = (message: wire.MemberMessage['message']): void => {
    if (message?.$case === 'status' && session) {
      session.send(statusFromWire(message.value))
      return
    }
    if (message?.$case !== 'hello' || session) {
      throw new BrokerError('PROTOCOL_VIOLATION', 'a registration is one hello, then statuses')
    }
    const hello = helloFromWire(message.value)
    if (hello.identity !== caller) {
      throw new BrokerError('PEER_REFUSED', `${caller} cannot register as ${hello.identity}`)
    }
    timer.cancel()
    session = registry.open(
      hello,
      (answer) => {
        // An answer that finds the stream full is left out: the next one says the same and more.
        if (!isOver && !stream.writableNeedDrain) stream.write(answerToWire(answer))
      },
      refuse,
    )
  }
  stream.on('data', ({ message }: wire.MemberMessage) => {
    if (isOver) return
    try {
      hear(message)
    } catch (thrown) {
      refuse(thrown)
    }
  })
  stream.on('end', () => {
    if (!isOver) {
      leave()
      stream.end()
    }
  })
  stream.on('cancelled', leave)
  stream.on('error', leave)
}
