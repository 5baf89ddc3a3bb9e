import { credentials } from '@grpc/grpc-js'
import { BrokerError } from '@tandemmq/base'
import type { MemberStatus, RegistryLink, RegistrySession } from '@tandemmq/registry'
import { registry as wire } from '@tandemmq/rpc'
import { internalChannelOptions, watchCall } from '../internal-client.ts'
import { errorOf } from '../rpc-status.ts'
import type { SetSecret } from '../set-secret.ts'
import { answerFromWire, helloToWire, statusToWire } from './registry-messages.ts'

/** The way to a registry in another process: one stream per registration. Coming back after a loss is the caller's. */
export class GrpcRegistryLink implements RegistryLink {
  readonly #address: string
  readonly #secret: SetSecret

  /** `address` is `host:port` of metadata-rpc. */
  constructor(address: string, secret: SetSecret) {
    this.#address = address
    this.#secret = secret
  }

  open(...[hello, onAnswer, onClosed, signal]: Parameters<RegistryLink['open']>): RegistrySession {
    const client = new wire.RegistryClient(
      this.#address,
      credentials.createInsecure(),
      internalChannelOptions,
    )
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
    watchCall(call, checkProof, (error) => {
      lost(error ?? new BrokerError('UNAVAILABLE', `the registry at ${this.#address} has closed`))
    })
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
}
