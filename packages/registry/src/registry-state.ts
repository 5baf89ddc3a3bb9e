import type { Appointment } from './appointment.ts'
import type { MemberHello, MemberStatus } from './member.ts'
import type { SetRecord } from './set-record.ts'

/** Names a registration for as long as the registry lives. */
export type SessionId = number

/** The times of one event. */
export interface Instant {
  /** Milliseconds on the clock that never goes back. */
  readonly at: number
  /** Milliseconds since the Unix epoch; only serving epochs are made of it. */
  readonly wall: number
}

export interface RegistryOptions {
  readonly cluster: string
  /** The broker sets that may register; empty: whichever. */
  readonly only: readonly string[]
  /** How long a serving token is good for (rule 4.1). */
  readonly leaseMs: number
  /** A member not heard for this long is suspect: not chosen, and gateways stop sending to it. */
  readonly suspectAfterMs: number
  /** A member not heard for this long is hung up on. */
  readonly silentAfterMs: number
  /**
   * All clients pass gateways, which stamp every call with the serving epoch: the token may move when its holder's registration closes.
   * Otherwise it never moves before the lease ends (rule 4.2).
   */
  readonly moveOnClose: boolean
  readonly setsMax: number
  readonly membersMax: number
}

export const defaultRegistryOptions: RegistryOptions = {
  cluster: 'DefaultCluster',
  only: [],
  leaseMs: 2000,
  suspectAfterMs: 1000,
  silentAfterMs: 5000,
  moveOnClose: true,
  setsMax: 1024,
  membersMax: 64,
}

/** Everything the registry knows. Of that only {@link SetRecord} is kept on disk: the rest brokers say again (rule 4.8). */
export interface RegistryState {
  readonly options: RegistryOptions
  readonly startedAt: number
  /** When the last event was. */
  readonly steppedAt: number
  readonly sets: ReadonlyMap<string, SetState>
  /** What was kept from earlier, by set. */
  readonly kept: ReadonlyMap<string, SetRecord>
  /** Where each registration belongs. */
  readonly sessions: ReadonlyMap<SessionId, { readonly set: string; readonly identity: string }>
  /** Who follows this registry (rule 4.8). */
  readonly relays: ReadonlyMap<SessionId, RelayState>
  /** Until then a relay that is gone may go by what it was told last. */
  readonly goneRelaysUntil: number
  /** How often anything that relays are told has changed. */
  readonly revision: number
}

export interface SetState {
  readonly name: string
  /** When its first member spoke. */
  readonly firstSeenAt: number
  /** By identity; those that left stay, for display and for their log epoch. */
  readonly members: ReadonlyMap<string, MemberState>
  readonly token: ServingToken | undefined
  /** The holder has left, and the token moves once no relay passes calls to it any more; they are told so with this revision. */
  readonly retired: { readonly epoch: number; readonly revision: number } | undefined
  /** The highest serving epoch anybody has named. */
  readonly seenEpoch: number
  /** The highest epoch that this process has granted or taken over from a hello; 0: none yet, so leases it does not know may exist. */
  readonly tokenEpoch: number
  /** The highest log epoch that any member has named, ever. */
  readonly logEpoch: number
  readonly appointment: Appointment | undefined
  /** A promotion that has asked the master to step down, by its number. */
  readonly stepDown: number | undefined
  /** What members are told unasked when it changes: who is there, who is alive, who serves. */
  readonly face: string
}

export interface MemberState {
  readonly hello: MemberHello
  /** Absent before the first one of this registration. */
  readonly status: MemberStatus | undefined
  /** Absent once it left. */
  readonly session: SessionId | undefined
  /** When it last said anything, not counting time in which the registry itself stood still. */
  readonly heardAt: number
  /** Its last status, and when that arrived. */
  readonly sequence: number
  readonly receivedAt: number
}

/** A relay as the registry knows it. */
export interface RelayState {
  readonly identity: string
  readonly heardAt: number
  readonly sequence: number
  /** It goes by everything up to this revision. */
  readonly taken: number
}

/** Who alone answers consumers of a set. */
export interface ServingToken {
  readonly epoch: number
  readonly holder: string
  readonly instanceId: string
  /** The grantor counts from its reply; the holder from sending, and less 200 ms. So the holder has always stopped by then. */
  readonly expiresAt: number
  /** Granted by an earlier grantor. */
  readonly isInherited: boolean
}

export function emptyRegistry(
  options: RegistryOptions,
  now: Instant,
  kept: readonly SetRecord[] = [],
): RegistryState {
  return {
    options,
    startedAt: now.at,
    steppedAt: now.at,
    sets: new Map(),
    kept: new Map(kept.map((record) => [record.set, record])),
    sessions: new Map(),
    relays: new Map(),
    goneRelaysUntil: -Infinity,
    revision: 0,
  }
}

/** Registered, and heard within the last second. */
export function isAlive(member: MemberState, options: RegistryOptions, now: Instant): boolean {
  return member.session !== undefined && now.at - member.heardAt < options.suspectAfterMs
}

/** A member's last epoch as it last said. */
export function lastEpochOf(member: MemberState): number {
  return member.status?.lastEpoch ?? member.hello.lastEpoch
}

/** The end of a member's log as it last said. */
export function endOf(member: MemberState): number {
  return member.status?.end ?? member.hello.end
}

/** A member's log id as it last said. */
export function logIdOf(member: MemberState): string {
  return member.status?.logId ?? member.hello.logId
}

/** The master of its set: it says so, and nobody else was appointed. */
export function isMaster(set: SetState, { hello }: MemberState): boolean {
  return hello.role === 'master' && !isDeposed(set, hello.identity)
}

/** Somebody else was appointed master. */
export function isDeposed(set: SetState, identity: string): boolean {
  return set.appointment !== undefined && set.appointment.identity !== identity
}

/** Whether this very process has the token by the registry's books. */
export function isHolder(member: MemberState, token: ServingToken): boolean {
  return token.holder === member.hello.identity && token.instanceId === member.hello.instanceId
}
