import type { Change } from './change.ts'
import { DELAY_GROUP } from './delay-progress.ts'
import type { MetadataState } from './metadata-state.ts'

/** What the mission synchronizes; each succeeds or fails on its own. */
export const METADATA_KINDS = ['topics', 'groups', 'progress', 'delay'] as const
export type MetadataKind = (typeof METADATA_KINDS)[number]

/**
 * Everything a store knows, as changes that bring about at least that wherever they are applied. A kind that is absent
 * could not be read: it says nothing. An empty one says nothing either: only explicit deletions delete.
 */
export type Snapshot = Readonly<Partial<Record<MetadataKind, readonly Change[]>>>

/** As of `now` (monotonic); `waiting` are changes that nothing is applied of yet. */
export function snapshotOf(state: MetadataState, now: number, waiting: readonly Change[] = []): Snapshot {
  const topics: Change[] = []
  for (const { value, version } of state.topics.entries())
    topics.push({ kind: 'topic-put', topic: value, version })
  for (const [name, deletion] of state.topics.deletions())
    topics.push({ kind: 'topic-delete', name, ...deletion })
  const groups: Change[] = []
  for (const { value, version } of state.groups.entries())
    groups.push({ kind: 'group-put', group: value, version })
  for (const [name, deletion] of state.groups.deletions())
    groups.push({ kind: 'group-delete', name, ...deletion })
  const progress: Change[] = []
  const delay: Change[] = []
  for (const queue of state.progress.all()) {
    const changes = queue.group === DELAY_GROUP ? delay : progress
    changes.push(queue.state(now))
  }
  if (state.delay.levels.size > 0) delay.push({ kind: 'delay-levels', levels: [...state.delay.levels] })
  for (const change of waiting) (kindOf(change) === 'delay' ? delay : progress).push(change)
  return { topics, groups, progress, delay }
}

/** Which kind a change belongs to. */
export function kindOf(change: Change): MetadataKind {
  switch (change.kind) {
    case 'topic-put':
    case 'topic-delete':
      return 'topics'
    case 'group-put':
    case 'group-delete':
      return 'groups'
    case 'delay':
    case 'delay-levels':
      return 'delay'
    case 'cut':
    case 'moved':
      return 'progress'
    default:
      return change.group === DELAY_GROUP ? 'delay' : 'progress'
  }
}
