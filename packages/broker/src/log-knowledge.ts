import type { RecordStamp } from '@tandemmq/codec'
import type { LogKnowledge } from '@tandemmq/metadata'
import type { MessageStore, QueueReader } from '@tandemmq/storage'

/** Of the message store, what is asked of it here. */
export interface KnownLog extends Pick<MessageStore, 'end' | 'epochAt' | 'lineage' | 'dispatched'> {
  queue(
    topic: string,
    queueId: number,
  ): Pick<QueueReader, 'maxOffset' | 'offsetAtOrAfter' | 'unit'> | undefined
}

/** Whether the own log holds the record that a piece of progress speaks of (rule 5.2). */
export function knowledgeOf(store: KnownLog): LogKnowledge {
  return {
    knowsStamp({ logEpoch, physicalOffset }: RecordStamp): boolean | 'later' {
      if (physicalOffset < store.end) return store.epochAt(physicalOffset) === logEpoch
      // Not copied yet, unless our ancestry says that another epoch holds that place. It may name epochs that begin far behind our end.
      const epochs = store.lineage?.epochs ?? []
      const newest = epochs.at(-1)?.epoch ?? 0
      const there = epochs.findLast(({ start }) => start <= physicalOffset)?.epoch
      return logEpoch > newest || logEpoch === there || there === undefined ? 'later' : false
    },
    queueEnd(topic, queueId, logEpoch) {
      const queue = store.queue(topic, queueId)
      const next = store.lineage?.epochs.find(({ epoch }) => epoch > logEpoch)
      if (next === undefined) return queue?.maxOffset ?? 0
      return store.dispatched.at < next.start ? 'later' : (queue?.offsetAtOrAfter(next.start) ?? 0)
    },
    lastHeld(topic, queueId, logEpoch, below) {
      const queue = store.queue(topic, queueId)
      const isOurs = store.lineage?.epochs.some(({ epoch }) => epoch === logEpoch)
      if (queue === undefined || isOurs !== true) return undefined
      const queueOffset = Math.min(queue.maxOffset, below) - 1
      const unit = queue.unit(queueOffset)
      if (unit === undefined) return undefined
      return { queueOffset, stamp: { logEpoch: store.epochAt(unit.offset), physicalOffset: unit.offset } }
    },
  }
}
