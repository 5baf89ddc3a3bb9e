import { BrokerError } from '@tandemmq/base'
import type { MemberStatus, RegistryLink, RegistrySession, RelayLink, RelaySession } from '@tandemmq/registry'
import { registry as wire } from '@tandemmq/rpc'
import { internalChannelOptions, watchCall } from '../internal-client.ts'
import { errorOf } from '../rpc-status.ts'
import type { SetSecret } from '../set-secret.ts'
import { answerFromWire, helloToWire, statusToWire } from './registry-messages.ts'
import { RelayAnswerParts } from './relay-messages.ts'

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
    let isOver = false
    const leave = (): void => {
      isOver = true
      signal?.removeEventListener('abort', abort)
      call.cancel()
      client.close()
    }
    const close = (last?: MemberStatus): void => {
      if (isOver) return
      if (last === undefined) return leave()
      // Said to the end: a cancelled call takes along what was not sent yet. The call ends with its connection at the latest.
      isOver = true
      signal?.removeEventListener('abort', abort)
      call.write(statusToWire(last))
      call.end()
      client.close()
    }
    const abort = (): void => close()
    const lost = (why: BrokerError): void => {
      if (isOver) return
      leave()
      onClosed(why)
    }
    watchCall(call, checkProof, (error) => lost(error ?? this.#closed()))
    call.on('data', (answer: wire.RegistryAnswer) => {
      if (isOver) return
      try {
        onAnswer(answerFromWire(answer))
      } catch (thrown) {
        lost(errorOf(thrown))
      }
    })
    signal?.addEventListener('abort', abort, { once: true })
    call.write(helloToWire(hello))
    if (signal?.aborted) close()
    return {
      send: (status) => {
        // A status that finds the stream full is left out: the next one says the same and more.
        if (!isOver && !call.writableNeedDrain) call.write(statusToWire(status))
      },
      close,
    }
  }

  follow(...[hello, onAnswer, onClosed]: Parameters<RelayLink['follow']>): RelaySession {
    const client = this.#client()
    const { metadata, checkProof } = this.#secret.sign('follow')
    const call = client.follow(metadata)
    const parts = new RelayAnswerParts()
    let isOver = false
    const close = (): void => {
      isOver = true
      call.cancel()
      client.close()
    }
    const lost = (why: BrokerError): void => {
      if (isOver) return
      close()
      onClosed(why)
    }
    watchCall(call, checkProof, (error) => lost(error ?? this.#closed()))
    call.on('data', (part: wire.RelayAnswer) => {
      if (isOver) return
      try {
        const answer = parts.add(part)
        if (answer !== undefined) onAnswer(answer)
      } catch (thrown) {
        lost(errorOf(thrown))
      }
    })
    call.write({ message: { $case: 'hello', value: { ...hello } } })
    return {
      send: (status) => {
        if (!isOver && !call.writableNeedDrain)
          call.write({ message: { $case: 'status', value: { ...status } } })
      },
      close,
    }
  }

  #client(): wire.RegistryClient {
    return new wire.RegistryClient(this.#address, this.#secret.channelCredentials(), internalChannelOptions)
  }

  #closed(): BrokerError {
    return new BrokerError('UNAVAILABLE', `the registry at ${this.#address} has closed`)
  }
}
