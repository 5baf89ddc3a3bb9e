import { BrokerError, type Clock } from '@tandemmq/base'
import { answerWatch, type Answer, type HandBackWay, type MetadataSource } from '@tandemmq/metadata'
import type { Broker } from '../broker.ts'

/** What a broker asks of another one about metadata, in the same process. */
export interface MetadataWire {
  /** Who asks. */
  readonly identity: string
  readonly clock: Clock
  /** The broker that is asked, if it lives and can be reached now. */
  readonly broker: () => Broker | undefined
}

const DELAY_MS = 1

/** A metadata source over a wire that takes a while each way; a broken one rejects, and ends its watches at their next answer. */
export function metadataOver({ identity, clock, broker }: MetadataWire): MetadataSource {
  const reached = (): Promise<Broker> => reach(clock, broker)
  return {
    async pull(cursor) {
      const answer = (await reached()).metadata.changesSince(cursor)
      await reached()
      return answer
    },
    async watch(cursor, onAnswer, signal) {
      const first = await reached()
      const connection = new AbortController()
      const watcher = first.watchers.join(identity, (why) => connection.abort(new Error(why)))
      const send = async (answer: Answer): Promise<void> => {
        if ((await reached()) !== first)
          throw new BrokerError('UNAVAILABLE', 'the other broker was restarted')
        onAnswer(answer)
        if (signal.aborted) return
        clock.after(DELAY_MS, () => {
          if (broker() === first) watcher.acknowledged(answer.cursor)
        })
      }
      try {
        // As the real one does, it says at once where it begins.
        const answer = first.metadata.changesSince(cursor)
        await send(answer)
        await answerWatch(first.metadata, answer.cursor, send, AbortSignal.any([signal, connection.signal]))
      } finally {
        watcher.left()
      }
    },
    ...handBackOver({ clock, broker }),
  }
}

/** The way back alone, over whatever leads to that broker now. Like the real ones it answers only over a way that is still there. */
export function handBackOver({ clock, broker }: Omit<MetadataWire, 'identity'>): HandBackWay {
  return {
    async handBack(snapshot, _signal, claim) {
      const found = await reach(clock, broker)
      await found.takeBack(snapshot, claim)
      if ((await reach(clock, broker)) !== found)
        throw new BrokerError('UNAVAILABLE', 'the other broker was restarted')
    },
  }
}

async function reach(clock: Clock, broker: () => Broker | undefined): Promise<Broker> {
  await new Promise<void>((resolve) => {
    clock.after(DELAY_MS, resolve)
  })
  const found = broker()
  if (found === undefined) throw new BrokerError('UNAVAILABLE', 'the other broker cannot be reached')
  return found
}
