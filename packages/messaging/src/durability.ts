import type { LogOffset } from '@tandemmq/base'
import type { SendStatus } from './api.ts'

/** What OK means here (the broker's mode decides). */
export interface Durability {
  /** Before the append: throws `NOT_WRITABLE`, or `IN_SYNC_REPLICAS_NOT_ENOUGH` while nothing is stored (rule 6.2). */
  admit(): void
  /**
   * After the append: flush and replication run at the same time; resolves when both are done or late.
   * @param deadline when the caller gives up, monotonic ms
   */
  confirmed(end: LogOffset, deadline?: number): Promise<SendStatus>
}

/** Whether this broker may append what it decides itself (re-put timers, dead letters). Only a master may. */
export interface InternalWriting {
  readonly allowed: boolean
}
