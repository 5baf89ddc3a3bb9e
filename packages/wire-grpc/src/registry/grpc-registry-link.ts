import type { ClientDuplexStream } from '@grpc/grpc-js'
import { BrokerError } from '@tandemmq/base'
import type { RegistryLink, RegistrySession, RelayLink, RelaySession } from '@tandemmq/registry'
import { registry as wire } from '@tandemmq/rpc'
import { internalChannelOptions, watchCall } from '../internal-client.ts'
import { errorOf } from '../rpc-status.ts'
import type { ProofCheck, SetSecret } from '../set-secret.ts'
import { answerFromWire, helloToWire, statusToWire } from './registry-messages.ts'
import { RelayAnswerParts } from './relay-messages.ts'

interface SessionEvents<Down> {
  /** What it throws ends the session. */
  heard(message: Down): void
  /** It has ended, whoever ended it. */
  over(): void
  lost(why: BrokerError): void
}

interface CarriedSession<Up> {
  send(message: Up): void
  /** At once. */
  leave(): void
  finish(last: Up): void
}

/** The way to a registry in another process: one stream per registration, or per relay. Coming back after a loss is the caller's. */
export class GrpcRegistryLink implements RegistryLink, RelayLink {
  readonly #address: string
  readonly #secret: SetSecret

  /** `address` is `host:port` of metadata-rpc. */
  constructor(address: string, secret: SetSecret) {
    this.#address = address
    this.#secret = secret
  }

  open(...[hello, onAnswer, onClosed, signal]: Parameters<RegistryLink['open']>): RegistrySession {
    const client = this.#client()
    const { metadata, checkProof } = this.#secret.sign('registry')
    const call = client.register(metadata)
    const session = this.#carry(client, call, checkProof, {
      heard: (answer) => onAnswer(answerFromWire(answer)),
      over: () => signal?.removeEventListener('abort', abort),
      lost: onClosed,
    })
    const abort = (): void => session.leave()
    signal?.addEventListener('abort', abort, { once: true })
    call.write(helloToWire(hello))
    if (signal?.aborted) session.leave()
    return {
      send: (status) => session.send(statusToWire(status)),
      close: (last) => (last === undefined ? session.leave() : session.finish(statusToWire(last))),
    }
  }

  follow(...[hello, onAnswer, onClosed]: Parameters<RelayLink['follow']>): RelaySession {
    const client = this.#client()
    const { metadata, checkProof } = this.#secret.sign('follow')
    const call = client.follow(metadata)
    const parts = new RelayAnswerParts()
    const session = this.#carry(client, call, checkProof, {
      heard: (part) => {
        const answer = parts.add(part)
        if (answer !== undefined) onAnswer(answer)
      },
      over: () => {},
      lost: onClosed,
    })
    call.write({ message: { $case: 'hello', value: { ...hello } } })
    return {
      send: (status) => session.send({ message: { $case: 'status', value: { ...status } } }),
      close: () => session.leave(),
    }
  }

  /** A session is a call that ends once: by us, or because it is lost. */
  #carry<Up, Down>(
    client: wire.RegistryClient,
    call: ClientDuplexStream<Up, Down>,
    checkProof: ProofCheck,
    on: SessionEvents<Down>,
  ): CarriedSession<Up> {
    let isOver = false
    const leave = (): void => {
      if (isOver) return
      isOver = true
      on.over()
      call.cancel()
      client.close()
    }
    const lost = (why: BrokerError): void => {
      if (isOver) return
      leave()
      on.lost(why)
    }
    watchCall(call, checkProof, (error) =>
      lost(error ?? new BrokerError('UNAVAILABLE', `the registry at ${this.#address} has closed`)),
    )
    call.on('data', (message: Down) => {
      if (isOver) return
      try {
        on.heard(message)
      } catch (thrown) {
        lost(errorOf(thrown))
      }
    })
    return {
      // A status that finds the stream full is left out: the next one says the same and more.
      send: (message) => {
        if (!isOver && !call.writableNeedDrain) call.write(message)
      },
      leave,
      // Said to the end: a cancelled call takes along what was not sent yet. The call ends with its connection at the latest.
      finish: (last) => {
        if (isOver) return
        isOver = true
        on.over()
        call.write(last)
        call.end()
        client.close()
      },
    }
  }

  #client(): wire.RegistryClient {
    return new wire.RegistryClient(this.#address, this.#secret.channelCredentials(), internalChannelOptions)
  }
}
