import { BrokerError, unreachable } from '@tandemmq/base'
import type { Change, Delivery, Lease, QueueKey, Visibility } from './change.ts'
import type { ConfigTable } from './config-table.ts'
import { compareCursors, type Cursor } from './cursor.ts'
import { DELAY_KEY } from './delay-progress.ts'
import { GENERATION_ZERO, compareGenerations, nextGeneration, type Generation } from './generation.ts'
import type { MetadataState } from './metadata-state.ts'
import { checkedGroupName, checkedTopicName } from './checked-names.ts'
import type { QueueProgress } from './queue-progress.ts'

/**
 * Fills in what the committer leaves out: the version of an entry (greater than any known one), the generation of the progress.
 * `next` is the cursor that the change will have. Throws `ILLEGAL_ARGUMENT` for a bad name.
 */
export function completed(change: Change, state: MetadataState, next: Cursor): Change {
  switch (change.kind) {
    case 'topic-put':
      checkedTopicName(change.topic.name)
      return { ...change, version: versionAfter(state.topics, change.topic.name, next) }
    case 'group-put':
      checkedGroupName(change.group.name)
      return { ...change, version: versionAfter(state.groups, change.group.name, next) }
    case 'topic-delete':
      return {
        ...change,
        version: versionAfter(state.topics, change.name, next),
        generation: generationAfter(state.progress.ofTopic(change.name), next.processEpoch),
      }
    case 'group-delete':
      return {
        ...change,
        version: versionAfter(state.groups, change.name, next),
        generation: generationAfter(state.progress.ofGroup(change.name), next.processEpoch),
      }
    case 'ack':
      return { ...change, generation: generationOf(state, change) }
    case 'lease': {
      const later = laterThanKnown(change, state)
      return { ...change, deliveries: change.deliveries.map(later), generation: generationOf(state, change) }
    }
    case 'visibility': {
      const later = laterThanKnown(change, state)
      return { ...change, delivery: later(change.delivery), generation: generationOf(state, change) }
    }
    case 'delay':
      return { ...change, generation: generationOf(state, DELAY_KEY) }
    case 'reset':
    case 'progress':
    case 'diverged':
    case 'unsettled':
      checkKey(change)
      return change
    case 'cut':
    case 'delay-levels':
    case 'moved':
      return change
    default:
      return unreachable(change)
  }
}

/** Changes of one delivery are ordered by their time, which must not stand still or go back with the wall clock. */
function laterThanKnown(
  { group, topic, queueId, servingEpoch }: Lease | Visibility,
  state: MetadataState,
): (delivery: Delivery) => Delivery {
  const queue = state.progress.find(group, topic, queueId)
  return (delivery) => {
    const before = queue?.lease(delivery.queueOffset)
    const isSame = before?.servingEpoch === servingEpoch && before.attempt === delivery.attempt
    return isSame
      ? { ...delivery, deliveredAt: Math.max(delivery.deliveredAt, before.deliveredAt + 1) }
      : delivery
  }
}

/** The first generation above those of all `queues`. */
export function generationAfter(queues: Iterable<QueueProgress>, servingEpoch: number): Generation {
  let last = GENERATION_ZERO
  for (const { generation } of queues) if (compareGenerations(generation, last) > 0) last = generation
  return nextGeneration(last, servingEpoch)
}

function versionAfter(table: ConfigTable<{ readonly name: string }>, name: string, next: Cursor): Cursor {
  const last = table.versionOf(name)
  return compareCursors(next, last) > 0
    ? next
    : { processEpoch: last.processEpoch, counter: last.counter + 1 }
}

function generationOf(state: MetadataState, key: QueueKey): Generation {
  const queue = state.progress.find(key.group, key.topic, key.queueId)
  if (queue === undefined) checkKey(key)
  return queue?.generation ?? GENERATION_ZERO
}

function checkKey(key: QueueKey): void {
  checkedGroupName(key.group)
  checkedTopicName(key.topic)
  if (!Number.isSafeInteger(key.queueId) || key.queueId < 0) {
    throw new BrokerError('ILLEGAL_ARGUMENT', `${key.queueId} is no queue of topic ${key.topic}`)
  }
}
