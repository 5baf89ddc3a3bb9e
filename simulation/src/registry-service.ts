import { BrokerError, messageOf, type Address } from '@tandemmq/base'
import type { MemberHello, MemberStatus, RegistryAnswer, RegistryLink } from '@tandemmq/registry'
import { MessageExchange, type MessageStream, type StreamPorts } from './message-exchange.ts'

type Up =
  | { readonly kind: 'hello'; readonly hello: MemberHello }
  | { readonly kind: 'status'; readonly status: MemberStatus }
type Down =
  | { readonly kind: 'answer'; readonly answer: RegistryAnswer }
  | { readonly kind: 'closed'; readonly why: BrokerError }

/** The registration stream between processes: what wire-grpc does, over simulated TCP. */
export class RegistryService {
  readonly #exchange = new MessageExchange<Up, Down>()

  async serve(ports: StreamPorts, address: Address, registry: RegistryLink): Promise<void> {
    await this.#exchange.listen(ports, address, (stream) => accept(stream, registry))
  }

  /** The link of a broker process. */
  link(ports: StreamPorts, address: Address): RegistryLink {
    return {
      open: (hello, onAnswer, onClosed, signal) => {
        let stream: MessageStream<Down, Up> | undefined
        let isOpen = true
        const early: MemberStatus[] = []
        const close = (last?: MemberStatus): void => {
          isOpen = false
          if (last !== undefined) stream?.send({ kind: 'status', status: last })
          stream?.close()
        }
        const lost = (why: BrokerError): void => {
          if (!isOpen) return
          close()
          onClosed(why)
        }
        const unreachable = (cause: unknown): void => lost(new BrokerError('UNAVAILABLE', messageOf(cause)))
        signal?.addEventListener('abort', () => close(), { once: true })
        this.#exchange.connect(ports, address, signal).then((connected) => {
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

function accept(stream: MessageStream<Up, Down>, registry: RegistryLink): void {
  let session: ReturnType<RegistryLink['open']> | undefined
  stream.start({
    message: (said) => {
      if (said.kind === 'status') return session?.send(said.status)
      session = registry.open(
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
