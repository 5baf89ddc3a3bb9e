export { MetadataStore, type MetadataOptions, type MetadataPorts } from './metadata-store.ts'
export type { Answer, KindResult, SyncResult } from './answer.ts'
export type {
  Ack,
  AckedRecord,
  Change,
  ChangeKind,
  Cut,
  Delay,
  DelayLevels,
  Delivery,
  GroupDelete,
  GroupPut,
  Lease,
  LeaseState,
  Mark,
  Moved,
  ProgressState,
  QueueKey,
  Reset,
  SettledBy,
  Settling,
  TopicDelete,
  TopicPut,
  Visibility,
} from './change.ts'
export { encodeChange } from './change-encoding.ts'
export { decodeChange } from './change-decoding.ts'
export { CURSOR_ZERO, compareCursors, type Cursor } from './cursor.ts'
export { compareGenerations, nextGeneration, type Generation } from './generation.ts'
export { DELAY_GROUP, TIMER_QUEUE, TIMER_TOPIC, type DelayProgress } from './delay-progress.ts'
export { groupConfig, type GroupConfig } from './group-config.ts'
export { topicConfig, type TopicConfig, type TopicType } from './topic-config.ts'
export { checkedGroupName, checkedTopicName, isTopicName } from './checked-names.ts'
export type { ConfigTable, VersionedEntry } from './config-table.ts'
export type { ProgressTable } from './progress-table.ts'
export type { QueueProgress } from './queue-progress.ts'
export type { LeaseView } from './in-flight.ts'
export type { ServedPlace } from './moved-progress.ts'
export { METADATA_KINDS, type MetadataKind, type Snapshot } from './snapshot.ts'
export { inspectJournal, type JournalInspection } from './journal-inspection.ts'
export { NOTHING_HELD, type HeldPart, type LogKnowledge } from './log-knowledge.ts'
export {
  decodeAnswer,
  decodeCursor,
  decodeSnapshot,
  encodeAnswer,
  encodeCursor,
  encodeSnapshot,
} from './answer-codec.ts'
export { Watchers, type Watcher } from './watchers.ts'
export type { HandBackWay, LogClaim } from './hand-back-way.ts'
export { answerWatch, type AnsweringStore, type MetadataSource } from './metadata-source.ts'
export {
  MetadataSync,
  type MetadataSyncOptions,
  type MetadataSyncPorts,
  type MetadataSyncStatus,
} from './metadata-sync.ts'
