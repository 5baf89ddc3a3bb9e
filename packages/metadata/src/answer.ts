import type { Change } from './change.ts'
import type { Cursor } from './cursor.ts'
import type { MetadataKind, Snapshot } from './snapshot.ts'

/** What a store tells another one: all changes after `since`, or (where its memory does not reach back) all it knows. */
export interface Answer {
  /** Where the asker stands once it has applied this. */
  readonly cursor: Cursor
  /** Which changes these follow; absent with a snapshot. */
  readonly since?: Cursor
  readonly snapshot?: Snapshot
  readonly changes: readonly Change[]
  /** Kinds of which something could not be read, and why. */
  readonly problems?: Readonly<Partial<Record<MetadataKind, string>>>
}

/** How it went for one kind. Whatever the status, nothing was deleted that was not explicitly deleted. */
export interface KindResult {
  /** `missing`: the answer did not hold this kind. `refused`: part of it could not be read, see `why`. */
  readonly status: 'ok' | 'missing' | 'refused'
  /** Changes that had an effect. */
  readonly applied: number
  readonly why?: string
}

export interface SyncResult {
  /** `gap`: the changes do not follow what was applied before; nothing was applied, ask without a cursor. */
  readonly outcome: 'applied' | 'gap'
  readonly kinds: Readonly<Record<MetadataKind, KindResult>>
  /** Entries that contradict this broker's lineage (rule 5.2). */
  readonly dropped: number
  /** Entries that wait for bytes of the log. */
  readonly pending: number
}
