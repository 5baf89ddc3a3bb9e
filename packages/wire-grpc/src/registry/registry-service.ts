import type { ServerDuplexStream } from '@grpc/grpc-js'
import { BrokerError, SparingLogger, type Clock, type Logger } from '@tandemmq/base'
import type { RegistryLink, RegistrySession, RelayLink, RelaySession } from '@tandemmq/registry'
import { registry as wire } from '@tandemmq/rpc'
import type { GrpcServer } from '../server.ts'
import type { SetSecretGuard } from '../set-secret.ts'
import { HandBackPassages, type HandBackPassageParts } from './hand-back-passage.ts'
import { answerToWire, helloFromWire, statusFromWire } from './registry-messages.ts'
import { relayAnswersToWire } from './relay-messages.ts'
import { outOfOrder, serveSession, type SessionStreamPorts } from './session-stream.ts'

export interface RegistryServicePorts {
  readonly clock: Clock
  readonly logger: Logger
  /** What passing on hand-backs takes; absent: none is passed on. */
  readonly passages?: HandBackPassageParts
}

type MemberStream = ServerDuplexStream<wire.MemberMessage, wire.RegistryAnswer>
type RelayStream = ServerDuplexStream<wire.RelayMessage, wire.RelayAnswer>

/** Serves a registry to brokers and relays in other processes. */
export function addRegistryService(
  server: GrpcServer,
  registry: RegistryLink & RelayLink,
  guard: SetSecretGuard,
  ports: RegistryServicePorts,
): void {
  // A broker that is refused comes again and again.
  const all = { ...ports, logger: new SparingLogger(ports.logger, ports.clock), guard }
  const { passages } = ports
  const passing = passages && new HandBackPassages(passages, all)
  server.add(wire.RegistryService, {
    register: (stream: MemberStream) => serveMember(stream, registry, all),
    follow: (stream: RelayStream) => serveRelay(stream, registry, all),
    ...(passing && { handBack: passing.serve.bind(passing) }),
  })
}

function serveMember(stream: MemberStream, registry: RegistryLink, ports: SessionStreamPorts): void {
  let session: RegistrySession | undefined
  const words = {
    begin: (
      { message }: wire.MemberMessage,
      caller: string,
      refuse: (thrown: unknown) => void,
    ): RegistrySession => {
      if (message?.$case !== 'hello') throw outOfOrder()
      const hello = helloFromWire(message.value)
      demandCaller(hello.identity, caller)
      session = registry.open(
        hello,
        (answer) => {
          // An answer that finds the stream full is left out: the next one says the same and more.
          if (!stream.writableNeedDrain) stream.write(answerToWire(answer))
        },
        refuse,
      )
      return session
    },
    hear: ({ message }: wire.MemberMessage): void => {
      if (message?.$case !== 'status') throw outOfOrder()
      session?.send(statusFromWire(message.value))
    },
  }
  serveSession(stream, 'registry', words, ports)
}

function serveRelay(stream: RelayStream, registry: RelayLink, ports: SessionStreamPorts): void {
  let session: RelaySession | undefined
  const words = {
    begin: (
      { message }: wire.RelayMessage,
      caller: string,
      refuse: (thrown: unknown) => void,
    ): RelaySession => {
      if (message?.$case !== 'hello') throw outOfOrder()
      demandCaller(message.value.identity, caller)
      session = registry.follow(
        message.value,
        (answer) => {
          // As a whole or not at all; the next answer to a status says everything.
          if (stream.writableNeedDrain) return
          for (const part of relayAnswersToWire(answer)) stream.write(part)
        },
        refuse,
      )
      return session
    },
    hear: ({ message }: wire.RelayMessage): void => {
      if (message?.$case !== 'status') throw outOfOrder()
      session?.send(message.value)
    },
  }
  serveSession(stream, 'follow', words, ports)
}

function demandCaller(identity: string, caller: string): void {
  if (identity !== caller) throw new BrokerError('PEER_REFUSED', `${caller} cannot register as ${identity}`)
}
