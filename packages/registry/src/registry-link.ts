import type { BrokerError } from '@tandemmq/base'
import type { MemberHello, MemberStatus } from './member.ts'
import type { RegistryAnswer } from './registry-answer.ts'

/** One registration at the registry. */
export interface RegistrySession {
  /** Does nothing once the session is closed. */
  send(status: MemberStatus): void
  /** Ends the session, after `last` if that is given; nothing is called afterwards. */
  close(last?: MemberStatus): void
}

/** The way from a broker to the registry: a stream of gRPC, or a call in the same process. */
export interface RegistryLink {
  /**
   * Registers. Never throws and never calls back before it has returned. `onClosed` is called at most once, after which nothing is called:
   * with `PEER_REFUSED` if the registry says no, with `UNAVAILABLE` if it cannot be reached or the session breaks. Aborting `signal` closes.
   */
  open(
    hello: MemberHello,
    onAnswer: (answer: RegistryAnswer) => void,
    onClosed: (why: BrokerError) => void,
    signal?: AbortSignal,
  ): RegistrySession
}
