import type { RecordStamp } from '@tandemmq/codec'
import type { LogKnowledge } from '@tandemmq/metadata'
import type { MessageStore } from '@tandemmq/storage'

/** Whether the own log holds the record that a piece of progress speaks of (rule 5.2). */
export function knowledgeOf(store: MessageStore): LogKnowledge {
  return {
    knowsStamp({ logEpoch, physicalOffset }: RecordStamp): boolean | 'later' {
      if (physicalOffset < store.end) return store.epochAt(physicalOffset) === logEpoch
      // Not copied yet, unless our log has already gone on under a newer epoch from below that place.
      const last = store.lineage?.epochs.at(-1)
      return last === undefined || logEpoch >= last.epoch ? 'later' : false
    },
    queueEnd(topic, queueId, logEpoch) {
      const queue = store.queue(topic, queueId)
      const next = store.lineage?.epochs.find(({ epoch }) => epoch > logEpoch)
      return next === undefined ? (queue?.maxOffset ?? 0) : (queue?.offsetAtOrAfter(next.start) ?? 0)
    },
  }
}
