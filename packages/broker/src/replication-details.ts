import type { FollowingView, SlaveView, VerificationView } from '@tandemmq/ha-protocol'
import type { FollowingDetails, ReplicaDetails, VerificationDetails } from '@tandemmq/registry'

/** What is shown of a master's slaves: those it has met since its start, then those of the roster that have not come yet (rule 3.3). */
export function replicaDetails(
  slaves: readonly SlaveView[],
  roster: readonly string[],
): readonly ReplicaDetails[] {
  const met = new Set(slaves.map(({ identity }) => identity))
  return [...slaves.map(detailsOfSlave), ...roster.filter((name) => !met.has(name)).map(notSeen)]
}

function detailsOfSlave(slave: SlaveView): ReplicaDetails {
  const { count, p50Ms, p99Ms, maxMs } = slave.ackLatency
  return {
    identity: slave.identity,
    address: slave.address,
    state: slave.state,
    sent: slave.sent,
    received: slave.received,
    flushed: slave.flushed ?? 0,
    dispatched: slave.dispatched ?? 0,
    lagBytes: slave.lagBytes,
    lagMs: Math.round(slave.lagMs),
    heardAgoMs: slave.heardAgoMs === undefined ? -1 : Math.round(slave.heardAgoMs),
    connects: slave.connects,
    refusals: slave.refusals,
    ackLatency: { count, p50Ms, p99Ms, maxMs },
    verification: verificationDetails(slave.verification),
    problem: slave.problem ?? '',
  }
}

function verificationDetails({ run, ...verification }: VerificationView): VerificationDetails {
  return { ...verification, ...(run && { run }) }
}

function notSeen(identity: string): ReplicaDetails {
  return {
    identity,
    address: '',
    state: 'not seen',
    sent: 0,
    received: 0,
    flushed: 0,
    dispatched: 0,
    lagBytes: 0,
    lagMs: 0,
    heardAgoMs: -1,
    connects: 0,
    refusals: new Map(),
    ackLatency: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
    verification: { verifiedTo: 0, comparedBytes: 0, skippedBytes: 0, mismatches: [], found: 0 },
    problem: 'it has not connected since this master started',
  }
}

export function followingDetails(view: FollowingView): FollowingDetails {
  return {
    master: view.masterIdentity ?? '',
    address: view.masterAddress,
    state: view.state === 'streaming' ? 'following' : view.state,
    reported: view.reported ?? -1,
    masterEnd: view.masterEnd ?? -1,
    lagBytes: view.lagBytes,
    lagMs: Math.round(view.lagMs),
    heardAgoMs: view.heardAgoMs === undefined ? -1 : Math.round(view.heardAgoMs),
    dials: view.dials,
    connects: view.connects,
    troubles: view.troubles,
    mismatches: view.mismatches,
    problem: view.problem ?? '',
  }
}
