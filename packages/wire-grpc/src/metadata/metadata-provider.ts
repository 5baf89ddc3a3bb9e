import type { AnsweringStore, Snapshot, Watcher } from '@tandemmq/metadata'
import type { MetadataAdmin } from './metadata-admin.ts'

/** What a broker gives to those who follow it and those who administer it. */
export interface MetadataProvider {
  readonly store: AnsweringStore
  readonly admin: MetadataAdmin
  /** A sealed slave gives back all it knows (rule 4.7). Resolves once it is merged and on disk. */
  takeBack(snapshot: Snapshot, from: string): Promise<void>
  /** A watch begins (rule 5.8). `hangUp` ends it; what is returned hears what it acknowledges, and that it is over. */
  watched?(identity: string, hangUp: (why: string) => void): Watcher
}
