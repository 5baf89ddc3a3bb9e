import type { RecordStamp } from '@tandemmq/codec'
import { NOTHING_HELD, type LogKnowledge } from '@tandemmq/metadata'
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
      const epochs = store.lineage?.epochs ?? []
      const newest = epochs.at(-1)
      // What our log has where an epoch lies that it has not heard of yet, or is just giving up, is not the last word.
      if (newest !== undefined && logEpoch > newest.epoch) return 'later'
      if (physicalOffset < store.end) return store.epochAt(physicalOffset) === logEpoch
      // Not copied yet, unless our ancestry says that another epoch holds that place. It may name epochs that begin far behind our end.
      const there = epochs.findLast(({ start }) => start <= physicalOffset)?.epoch
      return logEpoch === there || there === undefined ? 'later' : false
    },
    held(topic, queueId, logEpoch, below) {
      const epochs = store.lineage?.epochs ?? []
      // Where an epoch has begun that is none of this log's own, nobody can say here.
      if (!epochs.some(({ epoch }) => epoch === logEpoch)) return NOTHING_HELD
      const queue = store.queue(topic, queueId)
      const next = epochs.find(({ epoch }) => epoch > logEpoch)
      const mayGrow = next !== undefined && store.dispatched.at < next.start
      if (queue === undefined) return { end: 0, mayGrow }
      const isCut = next !== undefined && !mayGrow
      const end = Math.min(below, isCut ? queue.offsetAtOrAfter(next.start) : queue.maxOffset)
      const unit = queue.unit(end - 1)
      if (unit === undefined) return { end, mayGrow }
      const stamp = { logEpoch: store.epochAt(unit.offset), physicalOffset: unit.offset }
      return { end, last: { queueOffset: end - 1, stamp }, mayGrow }
    },
  }
}
