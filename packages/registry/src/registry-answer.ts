import type { Appointment } from './appointment.ts'
import type { MemberRole } from './member.ts'

/** A member as the others see it. */
export interface MemberView {
  readonly identity: string
  /** A master that somebody else was appointed in the place of is shown as the slave that it has to become. */
  readonly role: MemberRole
  readonly grpcAddress: string
  readonly haAddress: string
  /** Registered, and heard within the last second. */
  readonly alive: boolean
  readonly logId: string
  readonly lastEpoch: number
  readonly end: number
  readonly writable: boolean
}

/** The member that is the master of the set; `undefined`: the registry knows of none. */
export function masterOf(members: readonly MemberView[]): MemberView | undefined {
  return members.find((member) => member.role === 'master')
}

/** The serving token as one member is told about it. */
export interface TokenView {
  readonly epoch: number
  /** Identity of the holder. */
  readonly holder: string
  /** What is left of the lease, counted from the moment the receiver sent the status that is answered. */
  readonly leaseMs: number
  /** The receiver is the holder. */
  readonly yours: boolean
}

/** Answers a status; comes unasked when the token or the membership of the set changes. */
export interface RegistryAnswer {
  /** The status it answers, or the last one received; 0 is the hello. */
  readonly sequence: number
  /** Absent while nobody holds the token. */
  readonly token?: TokenView
  /** All members of the set, the receiver included, by identity. */
  readonly members: readonly MemberView[]
  /** The highest log epoch known of the receiver's log: a master whose own is lower must not write (rule 3.5). */
  readonly highestLogEpoch: number
  /** Who is to be the master; absent: the one that is configured so. Everybody else becomes its slave (rule 3.5). */
  readonly appointment?: Appointment
  /** The receiver is to take no more messages and to say so, naming this number; absent: it may go on. */
  readonly stepDown?: number
}
