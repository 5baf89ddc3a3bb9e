import type { AnsweringStore, LogClaim, Snapshot, Watcher } from '@tandemmq/metadata'
import type { MetadataAdmin } from './metadata-admin.ts'

/** What a broker gives to those who follow it and those who administer it. */
export interface MetadataProvider {
  readonly store: AnsweringStore
  readonly admin: MetadataAdmin
  /**
   * A sealed slave gives back all it knows (rule 4.7). Resolves once it is merged and on disk. `claim`: it is not connected, and rejects what does not
   * follow from that. `from` is who has called.
   */
  takeBack(snapshot: Snapshot, from: string, claim?: LogClaim): Promise<void>
  /** A watch begins (rule 5.8). `hangUp` ends it; what is returned hears what it acknowledges, and that it is over. */
  watched?(identity: string, hangUp: (why: string) => void): Watcher
}
