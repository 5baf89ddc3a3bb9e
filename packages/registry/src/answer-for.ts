import {
  endOf,
  isAlive,
  isHolder,
  isMaster,
  lastEpochOf,
  logIdOf,
  type Instant,
  type MemberState,
  type RegistryOptions,
  type SetState,
} from './registry-state.ts'
import type { Appointment } from './appointment.ts'
import type { MemberView, RegistryAnswer } from './registry-answer.ts'

/** What one member is told. */
export function answerFor(
  set: SetState,
  receiver: MemberState,
  options: RegistryOptions,
  now: Instant,
): RegistryAnswer {
  const { token } = set
  return {
    sequence: receiver.sequence,
    ...(token && {
      token: {
        epoch: token.epoch,
        holder: token.holder,
        // Counted from the arrival of the receiver's status, which is later than its sending: what the receiver adds to the moment of
        // sending can only be earlier than our own end of the lease.
        leaseMs: Math.max(0, Math.floor(token.expiresAt - receiver.receivedAt)),
        yours: isHolder(receiver, token),
      },
    }),
    members: membersOf(set, options, now),
    highestLogEpoch: highestLogEpoch(set, logIdOf(receiver)),
    ...(set.appointment && { appointment: currentAppointment(set, set.appointment) }),
    ...(set.stepDown !== undefined && isMaster(set, receiver) && { stepDown: set.stepDown }),
  }
}

/** All members, those that left included, by identity. */
export function membersOf(set: SetState, options: RegistryOptions, now: Instant): readonly MemberView[] {
  return [...set.members.values()]
    .map((member) => viewOf(set, member, options, now))
    .toSorted((one, other) => (one.identity < other.identity ? -1 : 1))
}

export function viewOf(
  set: SetState,
  member: MemberState,
  options: RegistryOptions,
  now: Instant,
): MemberView {
  const alive = isAlive(member, options, now)
  return {
    identity: member.hello.identity,
    role: isMaster(set, member) ? 'master' : 'slave',
    grpcAddress: member.hello.grpcAddress,
    haAddress: member.hello.haAddress,
    alive,
    logId: logIdOf(member),
    lastEpoch: lastEpochOf(member),
    end: endOf(member),
    writable: alive && isMaster(set, member) && (member.status?.writable ?? false),
  }
}

/** The highest epoch anybody knows of one log (rule 3.5). */
export function highestLogEpoch(set: SetState, logId: string): number {
  const sameLog = [...set.members.values()].filter((member) => logIdOf(member) === logId)
  return Math.max(0, ...sameLog.map(lastEpochOf))
}

/** Its addresses may be others after a restart: its own word counts as soon as there is one. */
function currentAppointment(set: SetState, appointment: Appointment): Appointment {
  const hello = set.members.get(appointment.identity)?.hello
  if (hello === undefined || hello.haAddress === '') return appointment
  return { ...appointment, grpcAddress: hello.grpcAddress, haAddress: hello.haAddress }
}

/** Everything that members are told at once when it changes; positions are not part of it. */
export function faceOf(set: SetState, options: RegistryOptions, now: Instant): string {
  const members = membersOf(set, options, now).map((member) => ({ ...member, end: undefined }))
  const full = [...set.members.values()].map(({ status }) => status?.diskFull === true)
  const { token, retired, appointment, stepDown } = set
  return JSON.stringify([token?.epoch, token?.holder, members, full, appointment, stepDown, retired])
}
