import { BrokerError, messageOf, type Address } from '@tandemmq/base'
import { MessageExchange, type MessageStream, type StreamPorts } from './message-exchange.ts'

type Up<Hello, Status> =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'status'; readonly status: Status }
type Down<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'closed'; readonly why: BrokerError }

/** One side's end of a session with the registry. */
export interface Session<Status> {
  send(status: Status): void
  close(last?: Status): void
}

/** How a session begins where the registry is. */
export type Begin<Hello, Status, Answer> = (
  hello: Hello,
  onAnswer: (answer: Answer) => void,
  onClosed: (why: BrokerError) => void,
) => Session<Status>

/** Sessions with the registry between processes, each a hello, statuses and their answers: what wire-grpc does, over simulated TCP. */
export class SessionExchange<Hello, Status, Answer> {
  readonly #exchange = new MessageExchange<Up<Hello, Status>, Down<Answer>>()

  async serve(ports: StreamPorts, address: Address, begin: Begin<Hello, Status, Answer>): Promise<void> {
    await this.#exchange.listen(ports, address, (stream) => accept(stream, begin))
  }

  /** Aborting `signal` closes the session. */
  open(
    ports: StreamPorts,
    address: Address,
    hello: Hello,
    onAnswer: (answer: Answer) => void,
    onClosed: (why: BrokerError) => void,
    signal?: AbortSignal,
  ): Session<Status> {
    let stream: MessageStream<Down<Answer>, Up<Hello, Status>> | undefined
    let isOpen = true
    const early: Status[] = []
    const close = (last?: Status): void => {
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
  }
}

function accept<Hello, Status, Answer>(
  stream: MessageStream<Up<Hello, Status>, Down<Answer>>,
  begin: Begin<Hello, Status, Answer>,
): void {
  let session: Session<Status> | undefined
  stream.start({
    message: (said) => {
      if (said.kind === 'status') return session?.send(said.status)
      session = begin(
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
