import type { Address, LogOffset } from '@tandemmq/base'
import type { HaMember } from './ha-member.ts'
import type { HaTimings } from './ha-timings.ts'

export interface HaSlaveOptions extends HaMember {
  /** The one master this slave follows. */
  readonly masterAddress: Address
  /** Report only what is on disk even where the master does not ask for it. Default false. */
  readonly flushBeforeReport?: boolean
  /** The confirmed position on disk (rule 1.5). Default 0. */
  readonly confirmed?: LogOffset
  /** What consumers of this replica can find, for the master's status page. */
  readonly dispatched?: () => LogOffset
  /** `apache`: a genuine Apache master; no hello, only the end of the log is compared (rule 2.6). Default `tandemmq`. */
  readonly peer?: 'tandemmq' | 'apache'
  /** How much of our end an Apache master is asked for again, bytes; 0: nothing is compared. Default 64 KiB. */
  readonly overlapBytes?: number
  /** The master has said who has, or had, this log besides this slave (rule 3.3). */
  readonly learnRoster?: (names: readonly string[]) => void
  /** And who is gone for good, by the word of the operator. */
  readonly learnForgotten?: (names: readonly string[]) => void
  /** The master asks for a promise to take no serving token for one lease (rule 4.6): true if it is given. Default: it is not. */
  readonly abstain?: () => boolean
  /** Called when a master is there, before it is told where our log ends: what is in doubt can be given up now. Must not reject. */
  readonly beforeHello?: () => Promise<void>
  readonly timings?: Partial<HaTimings>
}
