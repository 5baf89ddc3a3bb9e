import { BrokerError, unreachable } from '@tandemmq/base'
import type {
  MemberDetails,
  MemberHello,
  MemberRole,
  MemberStatus,
  MemberView,
  MemberWish,
  RegistryAnswer,
  VerificationDetails,
} from '@tandemmq/registry'
import { registry as wire } from '@tandemmq/rpc'

const { MemberRole: WireRole, MemberWish: WireWish } = wire

export function helloToWire(hello: MemberHello): wire.MemberMessage {
  return {
    message: {
      $case: 'hello',
      value: {
        ...hello,
        instanceId: hello.instanceId,
        role: roleToWire(hello.role),
        heldLease: hello.heldLease && { ...hello.heldLease },
        appointment: hello.appointment && { ...hello.appointment },
      },
    },
  }
}

/** Throws `PROTOCOL_VIOLATION`. What the fields say is checked by the registry. */
export function helloFromWire({ heldLease, appointment, role, ...hello }: wire.MemberHello): MemberHello {
  return {
    ...hello,
    role: roleFromWire(role),
    ...(heldLease && { heldLease }),
    ...(appointment && { appointment }),
  }
}

export function statusToWire(status: MemberStatus): wire.MemberMessage {
  const { replicas, following, metadataSync, okMeans, problems } = status.details
  return {
    message: {
      $case: 'status',
      value: {
        sequence: status.sequence,
        end: status.end,
        flushed: status.flushed,
        confirmed: status.confirmed,
        dispatched: status.dispatched,
        lastEpoch: status.lastEpoch,
        logId: status.logId,
        writable: status.writable,
        diskFull: status.diskFull,
        masterConnected: status.masterConnected,
        steppedDown: status.steppedDown,
        isGoodbye: status.isGoodbye ?? false,
        renewEpoch: status.renew?.epoch,
        wish: wishToWire(status.wants),
        release: status.release && { ...status.release },
        details: {
          replicas: replicas.map((replica) => ({
            ...replica,
            refusals: new Map(replica.refusals),
            ackLatency: { ...replica.ackLatency },
            verification: verificationToWire(replica.verification),
          })),
          following: following && {
            ...following,
            troubles: new Map(following.troubles),
            mismatches: [...following.mismatches],
          },
          metadataSync: metadataSync && { ...metadataSync, results: new Map(metadataSync.results) },
          okMeans,
          problems: [...problems],
        },
      },
    },
  }
}

export function statusFromWire(status: wire.MemberStatus): MemberStatus {
  const wants = wishFromWire(status.wish)
  return {
    sequence: status.sequence,
    end: status.end,
    flushed: status.flushed,
    confirmed: status.confirmed,
    dispatched: status.dispatched,
    lastEpoch: status.lastEpoch,
    logId: status.logId,
    writable: status.writable,
    diskFull: status.diskFull,
    ...(status.masterConnected !== undefined && { masterConnected: status.masterConnected }),
    ...(status.steppedDown !== undefined && { steppedDown: status.steppedDown }),
    ...(status.isGoodbye && { isGoodbye: true }),
    ...(status.renewEpoch !== undefined && { renew: { epoch: status.renewEpoch } }),
    ...(wants && { wants }),
    ...(status.release && { release: status.release }),
    details: detailsFromWire(status.details),
  }
}

export function answerToWire(answer: RegistryAnswer): wire.RegistryAnswer {
  return {
    sequence: answer.sequence,
    token: answer.token && { ...answer.token },
    members: answer.members.map((member) => ({ ...member, role: roleToWire(member.role) })),
    highestLogEpoch: answer.highestLogEpoch,
    appointment: answer.appointment && { ...answer.appointment },
    stepDown: answer.stepDown,
  }
}

/** Throws `PROTOCOL_VIOLATION`. */
export function answerFromWire(answer: wire.RegistryAnswer): RegistryAnswer {
  const members = answer.members.map((member): MemberView => ({ ...member, role: roleFromWire(member.role) }))
  return {
    sequence: answer.sequence,
    ...(answer.token && { token: answer.token }),
    members,
    highestLogEpoch: answer.highestLogEpoch,
    ...(answer.appointment && { appointment: answer.appointment }),
    ...(answer.stepDown !== undefined && { stepDown: answer.stepDown }),
  }
}

function detailsFromWire(details: wire.MemberDetails | undefined): MemberDetails {
  return {
    replicas: (details?.replicas ?? []).map(({ ackLatency, verification, ...replica }) => ({
      ...replica,
      ackLatency: ackLatency ?? { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
      verification: verificationFromWire(verification),
    })),
    ...(details?.following && { following: details.following }),
    ...(details?.metadataSync && { metadataSync: details.metadataSync }),
    okMeans: details?.okMeans ?? '',
    problems: details?.problems ?? [],
  }
}

function verificationToWire({ run, ...verification }: VerificationDetails): wire.VerificationDetails {
  return { ...verification, mismatches: [...verification.mismatches], run: run && { ...run } }
}

function verificationFromWire(given: wire.VerificationDetails | undefined): VerificationDetails {
  if (given === undefined) {
    return { verifiedTo: 0, comparedBytes: 0, skippedBytes: 0, mismatches: [], found: 0 }
  }
  const { run, ...verification } = given
  return { ...verification, ...(run && { run }) }
}

function roleToWire(role: MemberRole): wire.MemberRole {
  return role === 'master' ? WireRole.MASTER : WireRole.SLAVE
}

function roleFromWire(role: wire.MemberRole): MemberRole {
  if (role === WireRole.MASTER) return 'master'
  if (role === WireRole.SLAVE) return 'slave'
  throw new BrokerError('PROTOCOL_VIOLATION', `${role} is no role of a member`)
}

function wishToWire(wish: MemberWish | undefined): wire.MemberWish {
  switch (wish) {
    case undefined:
      return WireWish.UNSPECIFIED
    case 'token':
      return WireWish.TOKEN
    case 'stay':
      return WireWish.STAY
    case 'nothing':
      return WireWish.NOTHING
    default:
      return unreachable(wish)
  }
}

/** A wish of a newer version counts as none. */
function wishFromWire(wish: wire.MemberWish): MemberWish | undefined {
  if (wish === WireWish.TOKEN) return 'token'
  if (wish === WireWish.STAY) return 'stay'
  if (wish === WireWish.NOTHING) return 'nothing'
  return undefined
}
