import { BrokerError, type Clock } from '@tandemmq/base'
import { answerWatch, type MetadataSource } from '@tandemmq/metadata'
import type { Broker } from '../broker.ts'

/** What a broker asks of another one about metadata, in the same process. */
export interface MetadataWire {
  readonly clock: Clock
  /** The broker that is asked, if it lives and can be reached now. */
  readonly broker: () => Broker | undefined
}

const DELAY_MS = 1

/** A metadata source over a wire that takes a while each way; a broken one rejects, and ends its watches at their next answer. */
export function metadataOver({ clock, broker }: MetadataWire): MetadataSource {
  const reached = async (): Promise<Broker> => {
    await new Promise<void>((resolve) => {
      clock.after(DELAY_MS, resolve)
    })
    const found = broker()
    if (found === undefined) throw new BrokerError('UNAVAILABLE', 'the other broker cannot be reached')
    return found
  }
  return {
    async pull(cursor) {
      const answer = (await reached()).metadata.changesSince(cursor)
      await reached()
      return answer
    },
    async watch(cursor, onAnswer, signal) {
      const first = await reached()
      await answerWatch(
        first.metadata,
        cursor,
        async (answer) => {
          if ((await reached()) !== first)
            throw new BrokerError('UNAVAILABLE', 'the other broker was restarted')
          onAnswer(answer)
        },
        signal,
      )
    },
    async handBack(snapshot) {
      await (await reached()).takeBack(snapshot)
    },
  }
}
