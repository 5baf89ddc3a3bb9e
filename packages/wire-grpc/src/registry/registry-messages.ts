import { BrokerError, unreachable } from '@tandemmq/base'
import type {
  MemberHello,
  MemberRole,
  MemberStatus,
  MemberView,
  MemberWish,
  RegistryAnswer,
} from '@tandemmq/registry'
import { registry as wire } from '@tandemmq/rpc'
import { detailsFromWire, detailsToWire } from './member-details.ts'

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
        details: detailsToWire(status.details),
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
    members: answer.members.map(memberToWire),
    highestLogEpoch: answer.highestLogEpoch,
    appointment: answer.appointment && { ...answer.appointment },
    stepDown: answer.stepDown,
  }
}

/** Throws `PROTOCOL_VIOLATION`. */
export function answerFromWire(answer: wire.RegistryAnswer): RegistryAnswer {
  return {
    sequence: answer.sequence,
    ...(answer.token && { token: answer.token }),
    members: answer.members.map(memberFromWire),
    highestLogEpoch: answer.highestLogEpoch,
    ...(answer.appointment && { appointment: answer.appointment }),
    ...(answer.stepDown !== undefined && { stepDown: answer.stepDown }),
  }
}

export function memberToWire(member: MemberView): wire.Member {
  const { identity, grpcAddress, haAddress, alive, logId, lastEpoch, end, writable } = member
  const role = roleToWire(member.role)
  return { identity, role, grpcAddress, haAddress, alive, logId, lastEpoch, end, writable }
}

/** Throws `PROTOCOL_VIOLATION`. */
export function memberFromWire(member: wire.Member): MemberView {
  return { ...member, role: roleFromWire(member.role) }
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
