import { BrokerError, type Address, type Clock } from '@tandemmq/base'
import type { Broker } from '@tandemmq/broker'
import type { CallContext } from '@tandemmq/messaging'
import type { Answer, Call, Down, Up, Witness } from './client-calls.ts'
import { MessageExchange, type MessageStream, type StreamPorts } from './message-exchange.ts'

/** A broker that answers clients, and what watches it do so. */
export interface ServedBroker {
  readonly broker: Broker
  readonly identity: string
  readonly clock: Clock
  /** Called in the turn in which an answer to a consumer is written. */
  readonly answered: (witness: Witness) => void
}

/** The forward stream between gateway and broker: what wire-grpc does, over simulated TCP. */
export class ClientService {
  readonly exchange = new MessageExchange<Up, Down>()

  /** What is returned ends it. */
  serve(ports: StreamPorts, address: Address, served: ServedBroker): Promise<() => void> {
    return this.exchange.listen(ports, address, (stream) => accept(stream, served))
  }
}

function accept(stream: MessageStream<Up, Down>, served: ServedBroker): void {
  const open = new Map<number, AbortController>()
  stream.start({
    message: (said) => {
      if (said.kind === 'cancel') return open.get(said.id)?.abort(new BrokerError('UNAVAILABLE', 'cancelled'))
      const { id, call } = said
      const caller = new AbortController()
      open.set(id, caller)
      void answerTo(call, served, caller.signal).then((answer) => {
        open.delete(id)
        stream.send({ id, answer })
      })
    },
    closed: () => {
      for (const caller of open.values()) caller.abort(new BrokerError('UNAVAILABLE', 'the gateway is gone'))
    },
  })
}

async function answerTo(call: Call, served: ServedBroker, signal: AbortSignal): Promise<Answer> {
  try {
    return await performed(call, served, signal)
  } catch (thrown) {
    if (thrown instanceof BrokerError) return { kind: 'failed', why: thrown }
    throw thrown
  }
}

async function performed(call: Call, served: ServedBroker, signal: AbortSignal): Promise<Answer> {
  const { api } = served.broker
  const context: CallContext = {
    clientId: 'client',
    peer: { ip: '10.0.0.9', port: 40_000 },
    language: 'JAVA',
    clientVersion: '5.0.0',
    signal,
  }
  if (call.kind === 'send') {
    const deadline = served.clock.monotonic() + call.timeoutMs
    return { kind: 'sent', receipt: await api.send(call.message, { ...context, deadline }) }
  }
  const stamped = { ...context, ...call.stamp }
  if (call.kind === 'receive') {
    const { messages } = await api.receive(call.request, stamped)
    return { kind: 'received', messages, witness: witnessed(served, call.stamp.servingEpoch) }
  }
  const statuses = await api.ack(call.group, call.topic, call.entries, stamped)
  return { kind: 'acked', statuses, witness: witnessed(served, call.stamp.servingEpoch) }
}

function witnessed({ broker, identity, clock, answered }: ServedBroker, epoch: number): Witness {
  const visible = broker.visible.at
  const witness = { by: identity, epoch, at: clock.monotonic(), wall: clock.now(), visible }
  answered(witness)
  return witness
}
