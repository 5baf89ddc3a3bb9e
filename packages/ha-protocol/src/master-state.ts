import type { LogOffset, PeerCertificate } from '@tandemmq/base'
import type { Control, Hello, Lineage, Proof, ReceivedHello, Refusal } from '@tandemmq/codec'
import type { Alignment } from './alignment.ts'
import type { HaMember } from './ha-member.ts'
import type { HaTimings } from './ha-timings.ts'
import type { LogView } from './replicated-log.ts'
import type { Tail } from './tail.ts'

/**
 * A master's view of one connection:
 *
 *     awaiting-hello --hello--> awaiting-proof --proof--> claiming --free-----------------> streaming
 *           |                         |                      |                                 ^
 *           |                         |                      +--contested--> awaiting-rival ---+  (rule 2.4)
 *           |                         +-- holds our missing tail --> borrowing                 |  (rule 3.2)
 *           +-- a report instead of a hello, where legacy slaves are allowed ------------------+
 *
 *     any of them --refused, silent, late, violated, closed--> closed
 */
export type MasterState =
  | { readonly kind: 'awaiting-hello'; readonly since: number }
  | AwaitingProof
  | { readonly kind: 'claiming'; readonly admission: Admission }
  | { readonly kind: 'awaiting-rival'; readonly since: number; readonly admission: Admission }
  | MasterStreaming
  | MasterBorrowing
  | { readonly kind: 'closed' }

export interface AwaitingProof {
  readonly kind: 'awaiting-proof'
  /** Of the connection, not of this state: the handshake as a whole has a deadline. */
  readonly since: number
  readonly peer: Hello
  readonly alignment: Alignment
  /** The MAC that the slave must send; absent without a secret. */
  readonly expected?: Buffer
}

/** A slave that has proven who it is. */
export interface Admission {
  readonly peer: Hello
  readonly alignment: Alignment
}

export interface MasterStreaming {
  readonly kind: 'streaming'
  /** Absent: a slave that speaks Apache's protocol only. */
  readonly peer?: Hello
  readonly timings: HaTimings
  /** Whether the slave's first report has come: Apache's protocol sends nothing before it. */
  readonly isStarted: boolean
  /** Where the next body byte goes. Invariant: `received ≤ next`. */
  readonly next: LogOffset
  /** What the slave has reported. */
  readonly received: LogOffset
  readonly heardAt: number
  readonly saidAt: number
}

/** A slave lends us the tail that our log lacks (rule 3.2): it sends frames, we append them. */
export interface MasterBorrowing {
  readonly kind: 'borrowing'
  readonly peer: Hello
  /** Invariant: our log ends here. */
  readonly next: LogOffset
  /** What the slave held when it said hello. */
  readonly to: LogOffset
  /** Bytes of the current frame that are still to come. */
  readonly bodyLeft: number
  readonly heardAt: number
  readonly saidAt: number
}

export type MasterEvent =
  | {
      readonly kind: 'hello'
      readonly received: ReceivedHello
      readonly nonce: Buffer
      readonly wallClock: number
      readonly certificate?: PeerCertificate | undefined
    }
  /** The slave begins a TLS handshake, on a connection that is not encrypted. */
  | { readonly kind: 'client-hello' }
  | { readonly kind: 'proof'; readonly proof: Proof }
  /** The answer to `claim`. */
  | { readonly kind: 'claimed' }
  | { readonly kind: 'contested' }
  | { readonly kind: 'turned-away'; readonly refusal: Refusal }
  /** What became of the connection that holds the contested identity. */
  | { readonly kind: 'rival-gone' }
  | { readonly kind: 'rival-alive'; readonly words: string }
  | { readonly kind: 'report'; readonly position: LogOffset }
  | { readonly kind: 'control'; readonly control: Control }
  /** A slave that lends sends as we do. */
  | { readonly kind: 'frame'; readonly offset: LogOffset; readonly size: number }
  | { readonly kind: 'piece'; readonly offset: LogOffset; readonly size: number }
  /** The lender's ancestry is ours now, on disk. */
  | { readonly kind: 'adopted' }
  /** All that was borrowed is on disk. */
  | { readonly kind: 'kept' }
  /** The write side has handed something to the socket, log bytes up to `next` included. */
  | { readonly kind: 'sent'; readonly next: LogOffset }
  /** A new epoch was opened under a running connection: the slave has to hear of it in a handshake. */
  | { readonly kind: 'epoch-opened' }
  /** The master ends this connection for a reason outside of it. */
  | { readonly kind: 'given-up'; readonly refusal: Refusal }
  | { readonly kind: 'violation'; readonly words: string }
  | { readonly kind: 'tick' }
  | { readonly kind: 'closed' }

/** What the driver must do, in order. */
export type MasterEffect =
  | { readonly kind: 'say-hello'; readonly bytes: Buffer }
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  /** A slave has proven who it is; whether it is accepted is another question (rules 1.4, 1.6). */
  | { readonly kind: 'introduce'; readonly peer: Hello }
  /** Ask for the identity's place among the replicas; answered by an event. */
  | { readonly kind: 'claim'; readonly peer: Hello }
  | { readonly kind: 'evict-rival' }
  | { readonly kind: 'admit'; readonly peer: Hello; readonly counted: boolean }
  /** A slave without a hello: nobody knows more of it than its address and what it reports. */
  | { readonly kind: 'admit-legacy'; readonly counted: boolean }
  /** Send log bytes from `at` on. */
  | { readonly kind: 'start-sending'; readonly at: LogOffset }
  | { readonly kind: 'progress'; readonly received: LogOffset }
  | { readonly kind: 'note'; readonly control: Control }
  | { readonly kind: 'pong'; readonly token: number }
  /** Tell a slave that is about to stop up to where sends wait for it. */
  | { readonly kind: 'counts-to'; readonly position: LogOffset }
  | { readonly kind: 'heartbeat' }
  /** Take over the lender's ancestry, durably; answered by `adopted`. */
  | { readonly kind: 'adopt'; readonly lineage: Lineage }
  /** Read frames from the slave. */
  | { readonly kind: 'start-borrowing'; readonly at: LogOffset }
  /** Append the piece in hand at `offset`. */
  | { readonly kind: 'append'; readonly offset: LogOffset }
  /** Sync what was borrowed; answered by `kept`. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'say-alive'; readonly next: LogOffset }
  /** The tail is here. */
  | { readonly kind: 'borrowed'; readonly from: string }
  | HangUp

export interface HangUp {
  readonly kind: 'hang-up'
  readonly refusal: Refusal
  /** `told`: the peer has been sent why, so let it read that. `violation`: counted as one. */
  readonly manner: 'told' | 'silent' | 'violation'
}

export interface MasterConfig extends HaMember {
  /** SYNC_FLUSH: a report counts what is on disk. */
  readonly flushRequired: boolean
  /** The operator has accepted a loss: a longer slave is cut even before the first append of the newest epoch. */
  readonly acceptLoss: boolean
  /** Serve slaves that say no hello (a genuine Apache slave); whether their reports may complete sends (rule 2.6). */
  readonly legacySlaves: 'none' | 'served' | 'counted'
  readonly timings: HaTimings
  readonly legacyTimings: HaTimings
}

/** What a step may look at besides its state and the event. */
export interface MasterContext {
  readonly config: MasterConfig
  /** Our log as it is now. */
  readonly view: () => LogView
  readonly tail: () => Tail
}

export interface MasterStep {
  readonly state: MasterState
  readonly effects: readonly MasterEffect[]
}
