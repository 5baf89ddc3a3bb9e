import { BrokerError } from '@tandemmq/base'
import type { MemberReport, MemberView, RelayAnswer, SetReport, SetServing } from '@tandemmq/registry'
import { registry as wire } from '@tandemmq/rpc'
import { detailsFromWire, detailsToWire } from './member-details.ts'
import { memberFromWire, memberToWire } from './registry-messages.ts'

/** One set a message, so that none is larger than what one set can be. */
export function relayAnswersToWire({ revision, sequence, sets }: RelayAnswer): readonly wire.RelayAnswer[] {
  if (sets.length === 0) return [{ revision, sequence, sets: [], more: false }]
  return sets.map((set, index) => ({
    revision,
    sequence,
    sets: [setToWire(set)],
    more: index < sets.length - 1,
  }))
}

/** Puts the parts of an answer together again. */
export class RelayAnswerParts {
  #sets: SetReport[] = []

  /** The answer, once its last part is here. Throws `PROTOCOL_VIOLATION`. */
  add({ revision, sequence, sets, more }: wire.RelayAnswer): RelayAnswer | undefined {
    this.#sets.push(...sets.map(setFromWire))
    if (this.#sets.length > SETS_MAX) {
      throw new BrokerError('PROTOCOL_VIOLATION', `an answer names more than ${SETS_MAX} broker sets`)
    }
    if (more) return undefined
    const all = this.#sets
    this.#sets = []
    return { revision, ...(sequence !== undefined && { sequence }), sets: all }
  }
}

/** More than a registry keeps. */
const SETS_MAX = 10_000

function setToWire({ serving: face, members }: SetReport): wire.FollowedSet {
  const { cluster, set, serving, retired, writable } = face
  return {
    cluster,
    set,
    serving: serving && { ...serving },
    retired,
    writable: writable && { ...writable },
    members: members.map((member) => ({
      member: memberToWire(member),
      instanceId: member.instanceId,
      flushed: member.flushed,
      confirmed: member.confirmed,
      dispatched: member.dispatched,
      masterConnected: member.masterConnected,
      registered: member.registered,
      heardAgoMs: member.heardAgoMs,
      details: member.details && detailsToWire(member.details),
    })),
  }
}

function setFromWire({ cluster, set, serving, retired, writable, members }: wire.FollowedSet): SetReport {
  const reports = members.map(reportFromWire)
  const face: SetServing = {
    cluster,
    set,
    ...(serving && { serving }),
    ...(retired !== undefined && { retired }),
    ...(writable && { writable }),
    members: reports.map(viewOf),
  }
  return { serving: face, members: reports }
}

function reportFromWire({
  member,
  masterConnected,
  details,
  ...positions
}: wire.FollowedMember): MemberReport {
  if (member === undefined) throw new BrokerError('PROTOCOL_VIOLATION', 'a member without a name')
  return {
    ...memberFromWire(member),
    ...positions,
    ...(masterConnected !== undefined && { masterConnected }),
    ...(details && { details: detailsFromWire(details) }),
  }
}

function viewOf(report: MemberReport): MemberView {
  const { identity, role, grpcAddress, haAddress, alive, logId, lastEpoch, end, writable } = report
  return { identity, role, grpcAddress, haAddress, alive, logId, lastEpoch, end, writable }
}
