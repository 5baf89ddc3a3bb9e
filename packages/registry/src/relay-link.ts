import type { BrokerError } from '@tandemmq/base'
import type { MemberReport, SetServing } from './serving-view.ts'

/** Who follows a registry: another instance of metadata-rpc, which grants nothing (rule 4.8). */
export interface RelayHello {
  readonly cluster: string
  readonly identity: string
}

/** Sent every 500 ms, and at once when something new was taken over. */
export interface RelayStatus {
  /** 1, 2, 3 … per session; one that was said before asks for no answer. */
  readonly sequence: number
  /** The relay goes by everything up to this revision. */
  readonly taken: number
}

/** One broker set as a relay is told of it. */
export interface SetReport {
  readonly serving: SetServing
  /** For people. */
  readonly members: readonly MemberReport[]
}

/** What a relay is told: everything in answer to a status, and unasked what has changed. */
export interface RelayAnswer {
  /** Grows by one with every change of any set. */
  readonly revision: number
  /** The status it answers, 0 is the hello: then `sets` are all there are. Absent: it comes unasked, and `sets` are those that changed. */
  readonly sequence?: number
  readonly sets: readonly SetReport[]
}

/** One relay's session at the registry. */
export interface RelaySession {
  /** Does nothing once the session is closed. */
  send(status: RelayStatus): void
  /** Nothing is called afterwards. */
  close(): void
}

/** The way from a relay to the registry that it follows: a stream of gRPC, or a call in the same process. */
export interface RelayLink {
  /**
   * Never throws and never calls back before it has returned. `onClosed` is called at most once, after which nothing is called: with
   * `PEER_REFUSED` if the registry says no, with `UNAVAILABLE` if it cannot be reached or the session breaks.
   */
  follow(
    hello: RelayHello,
    onAnswer: (answer: RelayAnswer) => void,
    onClosed: (why: BrokerError) => void,
  ): RelaySession
}
