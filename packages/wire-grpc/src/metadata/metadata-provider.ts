import type { AnsweringStore, Cursor, Snapshot } from '@tandemmq/metadata'
import type { MetadataAdmin } from './metadata-admin.ts'

/** What a broker gives to those who follow it and those who administer it. */
export interface MetadataProvider {
  readonly store: AnsweringStore
  readonly admin: MetadataAdmin
  /** A sealed slave gives back all it knows (rule 4.7). Resolves once it is merged and on disk. */
  takeBack(snapshot: Snapshot, from: string): Promise<void>
  /** Up to where a watcher has applied (rule 5.8); `undefined` when it is gone. */
  onWatcher?(identity: string, applied: Cursor | undefined): void
}
