import type { Clock, Logger, Random } from '@tandemmq/base'
import type { Hello } from '@tandemmq/codec'
import type { MasterMetrics } from './ha-metrics.ts'
import type { MasterConnection } from './master-connection.ts'
import type { MasterContext } from './master-state.ts'
import type { VerifierLimits } from './range-verifier.ts'
import type { ReplicaTable } from './replica-table.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import type { SlaveRecords } from './slave-records.ts'
import type { WriteLimits } from './write-side.ts'

/** What all connections of one master share. */
export interface MasterSurroundings {
  readonly context: MasterContext
  readonly log: ReplicatedLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** For what anybody may cause who reaches the port. */
  readonly sparingly: Logger
  readonly metrics: MasterMetrics
  readonly table: ReplicaTable
  readonly records: SlaveRecords
  readonly limits: WriteLimits
  readonly verifierLimits: VerifierLimits
  /** Whether the identity is in the roster; called before its first count (rule 3.3). */
  enroll(identity: string): Promise<void>
  /** Who has, or had, this log: this master, and whoever it has ever counted. */
  holders(): readonly string[]
  /** Who, by the word of the operator, is gone for good. */
  forgotten(): readonly string[]
  /** A slave has proven who it is. */
  introduced(peer: Hello): void
  /** Before anything is borrowed from this identity. */
  borrowing(from: string): Promise<void>
  /** What our log lacked has come from this identity and is on disk. */
  borrowed(from: string): void
  /** The confirmed position to send down; undefined: none yet. */
  confirmed(): number | undefined
  /** A slave has promised to take no serving token for one lease, by the number of the question (rule 4.6). */
  abstained(identity: string, question: number): void
  /** This connection no longer counts as a stranger. */
  accepted(connection: MasterConnection): void
  over(connection: MasterConnection): void
}
