import { BrokerError, messageOf, type Address } from '@tandemmq/base'
import type { HandBackWay, LogClaim, Snapshot } from '@tandemmq/metadata'
import { handBackTarget, type HandBackAddress, type ServingView } from '@tandemmq/registry'
import { MessageExchange, type MessageStream, type StreamPorts } from './message-exchange.ts'

/** As in wire-grpc. */
const PASSAGE_MS = 2_000

interface Up {
  readonly address: HandBackAddress
  readonly snapshot: Snapshot
  readonly claim: LogClaim | undefined
}
type Down = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly why: string }

/** Hand-backs through the machine of metadata-rpc (rule 4.7): what wire-grpc does, over simulated TCP. */
export class HandBackService {
  readonly #exchange = new MessageExchange<Up, Down>()

  /** `onward` is the way from this machine to the broker whose clients come to that address. */
  async serve(
    ports: StreamPorts,
    address: Address,
    view: Pick<ServingView, 'set'>,
    onward: (grpcAddress: string) => HandBackWay,
  ): Promise<void> {
    await this.#exchange.listen(ports, address, (stream) => accept(stream, ports, view, onward))
  }

  /** The way of the process that has these ports. */
  way(ports: StreamPorts, address: Address, to: HandBackAddress): HandBackWay {
    return {
      handBack: async (snapshot, signal, claim) => {
        const answer = await this.#exchange.ask(ports, address, { address: to, snapshot, claim }, signal)
        if (answer.kind === 'failed') throw new BrokerError('UNAVAILABLE', answer.why)
      },
    }
  }
}

function accept(
  stream: MessageStream<Up, Down>,
  { clock }: StreamPorts,
  view: Pick<ServingView, 'set'>,
  onward: (grpcAddress: string) => HandBackWay,
): void {
  const patience = new AbortController()
  const timer = clock.after(PASSAGE_MS, () => patience.abort(new Error('a hand-back takes too long')))
  const over = (said: Down): void => {
    timer.cancel()
    stream.send(said)
  }
  const passedOn = async ({ address, snapshot, claim }: Up): Promise<void> => {
    const { grpcAddress } = handBackTarget(view, address)
    await onward(grpcAddress).handBack(snapshot, patience.signal, claim)
  }
  stream.start({
    message: (said) => {
      passedOn(said).then(
        () => over({ kind: 'done' }),
        (cause: unknown) => over({ kind: 'failed', why: messageOf(cause) }),
      )
    },
    closed: () => {
      timer.cancel()
      patience.abort(new Error('the slave has hung up'))
    },
  })
}
