import type { LogOffset, PeerCertificate } from '@tandemmq/base'
import type { Answer, Control, Lineage, LogRange, ReceivedHello, Refusal } from '@tandemmq/codec'
import type { HaMember } from './ha-member.ts'
import type { HaTimings } from './ha-timings.ts'
import type { LogView } from './replicated-log.ts'

/**
 * A slave's life with its master:
 *
 *     disconnected --tick--> connecting --connected--> greeting --hello--> proving --accepted--> adopting --> streaming
 *          ^                     |                        |                   |                                   |
 *          |                     v                        v                   +--told to cut--> cutting           |
 *          +--- closed --- leaving <----------------------+-------------------+------------------- | <------------+
 *          +---------------------------------------------------------------------- at once -------+
 *
 *     connecting --connected to an Apache master--> comparing --what we have is what it has--> streaming   (rule 2.6)
 * A master that lacks what we hold is lent it, from `proving` on (`lending`, rule 3.2); then it hangs up and we come again.
 *
 * Nothing is appended before the master has accepted. `adopting` and `cutting` wait for the disk and outlive their
 * connection. A slave that leaves in good order says so, and stays `streaming` until it has reported what still counts on it. A refusal is kept as `trouble` until a stream runs again; the attempts go on, slowly.
 */
export type SlaveState =
  | ({ readonly kind: 'disconnected'; readonly retryAt: number } & Attempt)
  | ({ readonly kind: 'connecting'; readonly since: number } & Attempt)
  | ({ readonly kind: 'greeting' } & Greeting)
  /** `aheadMs`: the time in the master's hello, minus ours when it came. */
  | ({ readonly kind: 'proving'; readonly masterIdentity: string; readonly aheadMs: number } & Greeting)
  | SlaveComparing
  | Adopting
  | ({
      readonly kind: 'cutting'
      readonly order: 'truncate' | 'start-over'
      readonly at: LogOffset
    } & Attempt)
  | SlaveStreaming
  | Lending
  /** Hung up on; the connection has not closed yet. */
  | ({ readonly kind: 'leaving'; readonly pace: Pace } & Attempt)
  | { readonly kind: 'stopped' }

/** What lasts from one attempt to the next. */
export interface Attempt {
  /** Attempts in a row without a stream that settled. */
  readonly failures: number
  /** Why the last attempt failed. */
  readonly trouble?: Refusal
  /** An Apache master did not send what we have: the next attempt goes on at our end without it. */
  readonly isUncompared?: true
}

/** How soon the next attempt comes. */
export type Pace = 'at-once' | 'back-off' | 'slowly'

export interface Greeting extends Attempt {
  readonly since: number
  /** Our hello as sent: MACs cover it. */
  readonly signed: Buffer
}

/** An Apache master has been asked for the end of our own log. Invariant: `from ≤ next <` our end. */
export interface SlaveComparing extends Attempt {
  readonly kind: 'comparing'
  readonly from: LogOffset
  /** Everything from {@link from} to here has come and is the same. */
  readonly next: LogOffset
  /** Bytes of the current frame that are still to come. */
  readonly bodyLeft: number
  /** When we asked, or bytes came last. */
  readonly comparedAt: number
}

export interface Adopting extends Attempt {
  readonly kind: 'adopting'
  readonly masterIdentity: string
  readonly at: LogOffset
  readonly flushFirst: boolean
  readonly counted: boolean
  /** The connection has closed meanwhile. */
  readonly isOrphan: boolean
}

/** The stream runs the other way: we send frames of our log up to its end. */
export interface Lending extends Attempt {
  readonly kind: 'lending'
  readonly since: number
  readonly heardAt: number
  readonly spokeAt: number
}

export interface SlaveStreaming extends Attempt {
  readonly kind: 'streaming'
  readonly since: number
  /** Absent: a master that speaks Apache's protocol only. */
  readonly masterIdentity?: string
  /** Whether our reports complete sends there. */
  readonly counted: boolean
  /** Where the stream began: everything below counts as held. */
  readonly from: LogOffset
  /** Where the next frame must start; an empty slave of an Apache master takes what comes. */
  readonly next: LogOffset | 'any'
  /** Bytes of the current frame that are still to come. */
  readonly bodyLeft: number
  /** What the master was last told; undefined while the first report waits for the disk. */
  readonly reported: LogOffset | undefined
  /** Report only what is on disk. */
  readonly flushFirst: boolean
  readonly timings: HaTimings
  readonly heardAt: number
  readonly spokeAt: number
  /** Present: this slave stops once it has reported `countsTo`, which it has asked its master for. */
  readonly leaving?: { readonly since: number; readonly countsTo?: LogOffset }
}

export type SlaveEvent =
  | { readonly kind: 'tick' }
  | { readonly kind: 'connected'; readonly nonce: Buffer; readonly wallClock: number }
  | { readonly kind: 'connect-failed'; readonly trouble: Refusal; readonly jitter: number }
  | {
      readonly kind: 'master-hello'
      readonly received: ReceivedHello
      readonly wallClock: number
      readonly certificate?: PeerCertificate | undefined
    }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'adopted' }
  | { readonly kind: 'cut-done' }
  /** Adopting or cutting failed. */
  | { readonly kind: 'disk-failed'; readonly words: string }
  | { readonly kind: 'frame'; readonly offset: LogOffset; readonly size: number }
  | { readonly kind: 'piece'; readonly offset: LogOffset; readonly size: number }
  /** While comparing: the next `size` bytes, which we have too; `differsAt`: the first that is another one. */
  | { readonly kind: 'overlap'; readonly size: number; readonly differsAt?: LogOffset }
  | { readonly kind: 'control'; readonly control: Control }
  /** Everything that has arrived in this turn has been taken. */
  | { readonly kind: 'caught-up' }
  | { readonly kind: 'flushed'; readonly position: LogOffset }
  | { readonly kind: 'append-failed'; readonly words: string }
  | { readonly kind: 'violation'; readonly words: string }
  /** `jitter` in [0, 1): how far the next attempt is moved inside its window. */
  | { readonly kind: 'closed'; readonly words?: string; readonly jitter: number }
  /** Stop in good order: no send that counts on this slave is to wait in vain. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'stop' }

/** What the driver must do, in order. */
export type SlaveEffect =
  | { readonly kind: 'dial' }
  | { readonly kind: 'say-hello'; readonly bytes: Buffer }
  | { readonly kind: 'prove'; readonly bytes: Buffer }
  | { readonly kind: 'adopt'; readonly lineage: Lineage; readonly at: LogOffset }
  /** Cut the log to `at`; `at` below its beginning or at it: all of it. */
  /** `isCommon`: the master has, or had, all of what goes; no copy of it is needed. */
  | { readonly kind: 'cut'; readonly at: LogOffset; readonly isCommon?: boolean }
  /** Append the piece in hand at `offset`. */
  | { readonly kind: 'append'; readonly offset: LogOffset }
  /** Sync, then say `flushed`. At most one sync runs. */
  | { readonly kind: 'flush' }
  /** Send frames of our log from `at` to its end. */
  | { readonly kind: 'lend'; readonly at: LogOffset }
  | { readonly kind: 'lend-heartbeat' }
  | { readonly kind: 'report'; readonly position: LogOffset }
  | { readonly kind: 'send-control'; readonly control: Control }
  | { readonly kind: 'confirm'; readonly position: LogOffset }
  /** Tell the master the checksum of a range. */
  | { readonly kind: 'answer-check'; readonly range: LogRange }
  /** The master has found that a range of our log differs from its own. */
  | { readonly kind: 'learn-mismatch'; readonly range: LogRange }
  /** Or that it is the same, whatever was found before. */
  | { readonly kind: 'learn-equal'; readonly range: LogRange }
  /** Where the master's log ends, for people. */
  | { readonly kind: 'learn-end'; readonly position: LogOffset }
  /** Who has, or had, this log besides us. */
  | { readonly kind: 'learn-roster'; readonly names: readonly string[] }
  /** Who of them is gone for good, by the word of the operator. */
  | { readonly kind: 'learn-forgotten'; readonly names: readonly string[] }
  /** The master asks for a promise to take no serving token (rule 4.6). */
  | { readonly kind: 'asked-to-abstain'; readonly question: number }
  | { readonly kind: 'hang-up'; readonly refusal: Refusal; readonly manner: 'told' | 'silent' | 'violation' }

export interface SlaveConfig extends HaMember {
  readonly flush: 'when-required' | 'always'
  /** `apache`: no hello, only the end of the log is compared. Never found out by fallback. */
  readonly peer: 'tandemmq' | 'apache'
  /** How much of our end an Apache master is asked for again, bytes. */
  readonly overlapBytes: number
  readonly timings: HaTimings
}

/** What a step may look at besides its state and the event. */
export interface SlaveContext {
  readonly config: SlaveConfig
  /** Our log as it is now. */
  readonly view: () => LogView
  /** The master whose log this process has copied; it follows no other. */
  readonly followed: () => string | undefined
}

export interface SlaveStep {
  readonly state: SlaveState
  readonly effects: readonly SlaveEffect[]
}
