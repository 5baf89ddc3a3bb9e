import { BrokerError, messageOf, type Address } from '@tandemmq/base'
import type { RelayAnswer, RelayHello, RelayLink, RelaySession, RelayStatus } from '@tandemmq/registry'
import { MessageExchange, type MessageStream, type StreamPorts } from './message-exchange.ts'

type Up =
  | { readonly kind: 'hello'; readonly hello: RelayHello }
  | { readonly kind: 'status'; readonly status: RelayStatus }
type Down =
  | { readonly kind: 'answer'; readonly answer: RelayAnswer }
  | { readonly kind: 'closed'; readonly why: BrokerError }

/** The stream on which a relay follows a registry: what wire-grpc does, over simulated TCP. */
export class RelayService {
  readonly #exchange = new MessageExchange<Up, Down>()

  async serve(ports: StreamPorts, address: Address, registry: RelayLink): Promise<void> {
    await this.#exchange.listen(ports, address, (stream) => accept(stream, registry))
  }

  /** The link of a relay's process. */
  link(ports: StreamPorts, address: Address): RelayLink {
    return {
      follow: (hello, onAnswer, onClosed) => {
        const connecting = new AbortController()
        let stream: MessageStream<Down, Up> | undefined
        let isOpen = true
        const early: RelayStatus[] = []
        const close = (): void => {
          isOpen = false
          connecting.abort()
          stream?.close()
        }
        const lost = (why: BrokerError): void => {
          if (!isOpen) return
          close()
          onClosed(why)
        }
        const unreachable = (cause: unknown): void => lost(new BrokerError('UNAVAILABLE', messageOf(cause)))
        this.#exchange.connect(ports, address, connecting.signal).then((connected) => {
          connected.start({
            message: (said) => {
              if (said.kind === 'closed') lost(said.why)
              else if (isOpen) onAnswer(said.answer)
            },
            closed: unreachable,
          })
          if (!isOpen) return connected.close()
          stream = connected
          stream.send({ kind: 'hello', hello })
          for (const status of early) stream.send({ kind: 'status', status })
        }, unreachable)
        return {
          send: (status) => {
            if (stream) stream.send({ kind: 'status', status })
            else early.push(status)
          },
          close,
        }
      },
    }
  }
}

function accept(stream: MessageStream<Up, Down>, registry: RelayLink): void {
  let session: RelaySession | undefined
  stream.start({
    message: (said) => {
      if (said.kind === 'status') return session?.send(said.status)
      session = registry.follow(
        said.hello,
        (answer) => stream.send({ kind: 'answer', answer }),
        (why) => {
          stream.send({ kind: 'closed', why })
          stream.close()
        },
      )
    },
    closed: () => session?.close(),
  })
}
