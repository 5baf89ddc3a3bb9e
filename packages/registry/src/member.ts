import type { Appointment } from './appointment.ts'

/** What a broker is at present. Its set has one master. */
export type MemberRole = 'master' | 'slave'

/** A lease as its holder states it: how long it will still believe in it. */
export interface HeldLease {
  readonly epoch: number
  readonly remainingMs: number
}

/** Who a broker is; the first thing it says on a registration, counted as status number 0. */
export interface MemberHello {
  readonly cluster: string
  /** Name of its broker set (`brokerName`). */
  readonly set: string
  /** Unique in the set and kept over restarts. */
  readonly identity: string
  /** Random per process. */
  readonly instanceId: string
  readonly role: MemberRole
  /** `host:port` at which gateways and the other members reach its gRPC. */
  readonly grpcAddress: string
  /** `host:port` of its HA listener, a slave's if it were master; empty: it can be none. */
  readonly haAddress: string
  /** 32 hex digits; empty while its store has no lineage. */
  readonly logId: string
  /** Last epoch of its log; 0 without lineage. */
  readonly lastEpoch: number
  /** End of its log, bytes. */
  readonly end: number
  /** How many members the set is configured to have, itself included; 0 if it does not know. */
  readonly totalReplicas: number
  /** Identities that must hold a message before OK, itself included, in the mode in which it is or would be master; 1: OK waits for nobody. */
  readonly inSyncReplicas: number
  /** The last appointment it has heard of, from its disk: a registry that has lost its own takes it over. */
  readonly appointment?: Appointment
  /** The lease it still believes in: registrations and grantors come and go under it. */
  readonly heldLease?: HeldLease
  /** The highest serving epoch this process has heard of; 0 if none. New epochs are above it (rule 4.1). */
  readonly seenServingEpoch: number
}

/**
 * What a member says about the token: `token` = will serve if chosen (also when it says nothing); `stay` = the holder takes its seal back
 * and goes on under a new epoch (rule 4.7); `nothing` = cannot serve now, do not choose it.
 */
export type MemberWish = 'token' | 'stay' | 'nothing'

/** The state of one broker now. Sent every 500 ms and at once when something changes. */
export interface MemberStatus {
  /** 1, 2, 3 … per registration. */
  readonly sequence: number
  /** Positions of its log, bytes. */
  readonly end: number
  readonly flushed: number
  readonly confirmed: number
  readonly dispatched: number
  readonly lastEpoch: number
  readonly logId: string
  /** Takes sends now, as far as there is room on its disk. */
  readonly writable: boolean
  /** The disk has no room for messages: sends are refused until there is some. */
  readonly diskFull: boolean
  /** A master that was asked to step down (by the promotion of that number) and has: it appends nothing past `end` until it is told to go on. */
  readonly steppedDown?: number
  /** A master's last words: its process ends, and appends nothing past `end`. */
  readonly isGoodbye?: boolean
  /** Slave: its HA connection to the master stands. */
  readonly masterConnected?: boolean
  /** Renews the serving token it holds under this epoch. */
  readonly renew?: { readonly epoch: number }
  readonly wants?: MemberWish
  /** Gives the token to a member by name. It has stopped serving before it says so. */
  readonly release?: { readonly epoch: number; readonly to: string }
  readonly details: MemberDetails
}

/** For people: shown, never decided on. */
export interface MemberDetails {
  readonly replicas: readonly ReplicaDetails[]
  /** Slave: what it says of itself and its master. */
  readonly following?: FollowingDetails
  readonly metadataSync?: MetadataSyncDetails
  /** What OK means with this configuration, now, in words. */
  readonly okMeans: string
  /** Sentences. */
  readonly problems: readonly string[]
}

/** One replica as its master sees it, connected or not. Positions are bytes of log offset. */
export interface ReplicaDetails {
  readonly identity: string
  readonly address: string
  readonly state: string
  readonly sent: number
  /** By its own word, as the next two. */
  readonly received: number
  readonly flushed: number
  readonly dispatched: number
  readonly lagBytes: number
  /** Age of the first byte it lacks, ms. */
  readonly lagMs: number
  /** −1: never. */
  readonly heardAgoMs: number
  /** How often it was accepted since the start of the master. */
  readonly connects: number
  /** How often it was refused or hung up on, by reason. */
  readonly refusals: ReadonlyMap<string, number>
  /** From sending log bytes until it reports them. */
  readonly ackLatency: LatencyDetails
  readonly verification: VerificationDetails
  /** What is wrong with it, in words; empty: nothing. */
  readonly problem: string
}

/** How far a slave's bytes have been compared with its master's. */
export interface VerificationDetails {
  /** In the background: everything from the beginning of the log to here. */
  readonly verifiedTo: number
  readonly comparedBytes: number
  /** Bytes that one of the two no longer had, or could not read. */
  readonly skippedBytes: number
  /** Ranges in which the two differ, as last compared; at most 64. */
  readonly mismatches: readonly RangeDetails[]
  /** How many were found since the start of the master. */
  readonly found: number
  /** The last comparison that somebody asked for. */
  readonly run?: RangeDetails & { readonly next: number; readonly isDone: boolean }
}

export interface RangeDetails {
  readonly from: number
  readonly to: number
}

export interface LatencyDetails {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** A slave's view of itself and its master. */
export interface FollowingDetails {
  /** Identity of the master; empty: none has been followed yet. */
  readonly master: string
  /** `host:port` of its HA port. */
  readonly address: string
  readonly state: string
  /** What it has told its master; −1: nothing in this connection. */
  readonly reported: number
  /** End of the master's log, by the master's last word; −1: it has not said yet. */
  readonly masterEnd: number
  readonly lagBytes: number
  readonly lagMs: number
  /** −1: not connected. */
  readonly heardAgoMs: number
  readonly dials: number
  readonly connects: number
  /** Connections that it ended or lost, by reason. */
  readonly troubles: ReadonlyMap<string, number>
  /** Ranges in which its master found its log to differ. */
  readonly mismatches: readonly RangeDetails[]
  /** Why it does not follow; empty: it does. */
  readonly problem: string
}

/** The last metadata synchronisation of a slave. */
export interface MetadataSyncDetails {
  /** Wall clock, ms; 0 = never. */
  readonly lastSuccessAt: number
  readonly version: string
  /** Result by kind: topics, groups, progress, delay. */
  readonly results: ReadonlyMap<string, string>
}

/** A member's details before it has said any. */
export const noDetails: MemberDetails = { replicas: [], okMeans: '', problems: [] }
