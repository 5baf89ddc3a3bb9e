import { MetadataStore } from '@tandemmq/metadata'
import { MessageStore } from '@tandemmq/storage'
import type { BrokerOptions, BrokerPorts } from './broker-options.ts'
import { knowledgeOf } from './log-knowledge.ts'

export interface Stores {
  readonly store: MessageStore
  readonly metadata: MetadataStore
}

/** Opens what a broker keeps on disk: its messages, and what it knows of topics, groups and progress. Throws as both; then neither is open. */
export async function openStores(options: BrokerOptions, ports: BrokerPorts): Promise<Stores> {
  await using opened = new AsyncDisposableStack()
  const isMaster = options.master !== undefined
  const { cluster, set } = options
  // Who was appointed, or deposed, has the store of the other role, with the registry's word that this is right.
  const isAppointed = options.appointment !== undefined
  const owner = isMaster
    ? { cluster, set, role: 'master' as const, takesOtherStore: isAppointed }
    : {
        cluster,
        set,
        role: 'slave' as const,
        takesOtherStore: isAppointed || (options.slave?.acceptLoss ?? false),
      }
  const acceptLoss = options.master?.acceptLoss ?? false
  // Zeros ahead of the writer double what is written: they pay only where senders wait for syncs.
  const zeros = options.mode.flush === 'sync' ? {} : { preZeroBytes: 0 }
  // The log is read before topics are known, on a slave long before: queues of a batch topic become batch queues once that is known, or an inner batch comes.
  let known: MetadataStore | undefined
  const isBatchTopic = (topic: string): boolean =>
    known?.topics.get(topic)?.attributes.get('queue.type') === 'BatchCQ'
  const store = opened.use(
    await MessageStore.open({ ...options, ...zeros, owner, acceptLoss, isBatchTopic }, ports),
  )
  const metadata = opened.use(
    await MetadataStore.open(
      // A log has its ancestry only after the journal was begun.
      {
        root: options.root,
        acceptEdits: isMaster,
        journalExpected: store.lineage !== undefined && !acceptLoss,
        closedCleanly: store.recovery.cleanStop,
      },
      { ...ports, log: knowledgeOf(store) },
    ),
  )
  known = metadata
  opened.move()
  return { store, metadata }
}
