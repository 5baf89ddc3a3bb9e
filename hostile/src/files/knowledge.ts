import { BrokerError } from '@tandemmq/base'
import { GROUP, type BrokerStores } from './broker-stores.ts'

/** All that the stores of a broker were told to keep, in a form that can be compared. */
export interface Knowledge {
  readonly bodies: readonly string[]
  readonly roster: readonly string[]
  readonly logId: string
  readonly epochs: number
  readonly topics: string
  readonly groups: string
  readonly progress: string
}

/** A message that cannot be read, with a typed error that says where, stands as this. */
export const UNREADABLE = '(unreadable)'

export function knowledgeOf({ store, metadata }: BrokerStores): Knowledge {
  const bodies: string[] = []
  for (const queue of store.queueOffsets()) {
    for (let at = queue.minOffset; at < queue.maxOffset; at += 1) {
      bodies.push(`${queue.topic} ${queue.queueId} ${at}: ${bodyAt({ store, metadata }, queue.unit(at))}`)
    }
  }
  const progress = [...metadata.progress.all()].map((queue) => {
    const acked = Array.from({ length: 40 }, (_none, at) => (queue.isAcked(at) ? at : '')).join(' ')
    return `${queue.group} ${queue.topic} ${queue.queueId} ${queue.floor}: ${acked}`
  })
  return {
    bodies: bodies.toSorted(),
    roster: store.roster,
    logId: store.lineage?.logId ?? '',
    epochs: store.lineage?.epochs.length ?? 0,
    topics: [...metadata.topics.names()].toSorted().join(),
    groups: [...metadata.groups.names()].filter((name) => name === GROUP).join(),
    progress: progress.toSorted().join('\n'),
  }
}

function bodyAt({ store }: BrokerStores, unit: { offset: number; size: number } | undefined): string {
  if (unit === undefined) return UNREADABLE
  try {
    return store.record(unit.offset, unit.size).body.toString()
  } catch (failure) {
    if (failure instanceof BrokerError && /^(LOG_CORRUPT|ILLEGAL_ARGUMENT)$/.test(failure.code))
      return UNREADABLE
    throw failure
  }
}
