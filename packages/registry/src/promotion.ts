import type { Appointment } from './appointment.ts'
import {
  endOf,
  isDeposed,
  isMaster,
  lastEpochOf,
  logIdOf,
  type Instant,
  type MemberState,
  type SetState,
} from './registry-state.ts'

/** What the operator asks for (rule 3.5). */
export interface PromotionRequest {
  readonly set: string
  /** The member that is to be master; absent: the one with the highest (last epoch, end). */
  readonly to?: string
  /** The operator's word that the old master does not run and cannot come to run unseen. */
  readonly oldMasterIsOff: boolean
  /** The operator's word that what no present replica holds is given up. */
  readonly acceptLoss: boolean
}

/** What a promotion may do now. Every refusal and every wait has its reason, in words. */
export type PromotionVerdict =
  | { readonly kind: 'refuse'; readonly words: string }
  /** The old master answers: it has to stop taking messages first, and the slave to copy what it has. */
  | { readonly kind: 'wait'; readonly words: string }
  /** What slaves said last is older than the question. */
  | { readonly kind: 'listen'; readonly words: string }
  | { readonly kind: 'appoint'; readonly appointment: Appointment; readonly words: string }

/**
 * The new epoch is so far above all that are known: a master that was not heard any more may have opened others, one at each start, and
 * none of theirs may be taken for the new one.
 */
const EPOCH_STEP = 100

/**
 * Judges a promotion by what members have said since `began` (monotonic ms). `promotion` is its number, by which the old master says that it has
 * stepped down.
 *
 * With the old master's own word about where its log ends, whoever holds all of that may follow it. Without, as many replicas must be heard
 * as rule 3.2 asks for: then one of them holds every message that was acknowledged, and it is the one with the highest (last epoch, end).
 */
export function judgePromotion(
  set: SetState | undefined,
  request: PromotionRequest,
  { promotion, began }: { readonly promotion: number; readonly began: number },
  now: Instant,
): PromotionVerdict {
  if (set === undefined) return refuse(`no broker of ${request.set} has registered here`)
  const members = [...set.members.values()]
  const old = oldMaster(set, members)
  // A deposed master waits for its successor: when that one is gone, it may follow itself.
  const slaves = members.filter(
    (member) => member !== old && (member.hello.role === 'slave' || isDeposed(set, member.hello.identity)),
  )
  // Whoever is registered speaks twice a second or is soon hung up on: older words may have been overtaken.
  const late = [...slaves, ...(old === undefined ? [] : [old])].filter(
    (member) => member.session !== undefined && !(member.receivedAt > began),
  )
  if (late.length > 0) {
    return { kind: 'listen', words: `${namesOf(late)} did not say where its log ends` }
  }
  const heard = slaves.filter(
    (member) => member.session !== undefined && member.status !== undefined && endOf(member) > 0,
  )
  const chosen = candidateOf(heard, request, members, old)
  if (typeof chosen === 'string') return refuse(chosen)
  const name = chosen.hello.identity
  if (old !== undefined && logIdOf(old) !== '' && logIdOf(old) !== logIdOf(chosen)) {
    return refuse(`${name} holds another log than the master ${old.hello.identity}`)
  }
  if (old?.session !== undefined && request.oldMasterIsOff) {
    return refuse(
      `the master ${old.hello.identity} is not off: it was heard ${Math.round(now.at - old.heardAt)} ms ago. Without --old-master-is-off it is asked to step down`,
    )
  }
  const appoint = (words: string): PromotionVerdict => ({
    kind: 'appoint',
    words,
    appointment: {
      identity: name,
      epoch: Math.max(set.logEpoch, set.appointment?.epoch ?? 0) + EPOCH_STEP,
      grpcAddress: chosen.hello.grpcAddress,
      haAddress: chosen.hello.haAddress,
      end: endOf(chosen),
      acceptsLoss: request.acceptLoss,
    },
  })
  if (old?.status?.steppedDown === promotion) {
    const missing = missingOf(chosen, old)
    if (missing === undefined)
      return appoint(`${old.hello.identity} has stepped down, and ${name} holds all of its log`)
    return old.session === undefined && !request.acceptLoss
      ? refuse(`${old.hello.identity} stepped down and left before ${name} had all of its log: ${missing}`)
      : { kind: 'wait', words: `${old.hello.identity} has stepped down; ${missing}` }
  }
  if (old?.session !== undefined) {
    return { kind: 'wait', words: `the master ${old.hello.identity} has not said that it has stepped down` }
  }
  if (old?.session === undefined && old?.status?.isGoodbye === true) {
    const missing = missingOf(chosen, old)
    if (missing === undefined)
      return appoint(`${old.hello.identity} has left in order, and ${name} holds all of its log`)
    if (endOf(chosen) >= endOf(old) && lastEpochOf(chosen) === lastEpochOf(old)) {
      return { kind: 'wait', words: `${old.hello.identity} has left in order; ${missing}` }
    }
    if (!request.oldMasterIsOff) {
      return refuse(
        `${old.hello.identity} has left in order, but ${missing}: start it again and promote while it runs, or say --old-master-is-off`,
      )
    }
  }
  if (!request.oldMasterIsOff) {
    const who = old === undefined ? `the master of ${set.name}` : `the master ${old.hello.identity}`
    return refuse(
      `${who} does not answer and did not take its leave: it may run where it cannot be heard, and take messages. Once it is certain that it is off, say so with --old-master-is-off`,
    )
  }
  const shortage = request.acceptLoss ? undefined : shortageOf(chosen, heard, members)
  if (shortage !== undefined) return refuse(shortage)
  return appoint(wordsOfLoss(chosen, old))
}

/** Who is the master, or was when it was heard last. */
function oldMaster(set: SetState, members: readonly MemberState[]): MemberState | undefined {
  return (
    members.find((member) => member.hello.identity === set.appointment?.identity) ??
    members.find((member) => isMaster(set, member))
  )
}

function candidateOf(
  heard: readonly MemberState[],
  { to, set }: PromotionRequest,
  members: readonly MemberState[],
  old: MemberState | undefined,
): MemberState | string {
  const able = heard.filter(({ hello }) => hello.haAddress !== '')
  if (to === undefined) {
    const best = able.toSorted(byEnd)[0]
    if (best !== undefined) return best
    return heard.length === 0
      ? `no slave of ${set} that has a log is here`
      : `${namesOf(heard)} cannot be master: no haListenPort is configured`
  }
  const named = able.find(({ hello }) => hello.identity === to)
  if (named !== undefined) return named
  if (old?.hello.identity === to) return `${to} is the master of ${set}`
  const member = members.find(({ hello }) => hello.identity === to)
  if (member === undefined) return `${set} has no member ${to}`
  if (!heard.includes(member)) return `${to} is not here, or it has no log, or it is not a slave yet`
  return `${to} cannot be master: no haListenPort is configured`
}

/** What `slave` lacks of the log of a master that has said its last word about it; undefined: nothing. */
function missingOf(slave: MemberState, old: MemberState): string | undefined {
  const name = slave.hello.identity
  if (lastEpochOf(slave) !== lastEpochOf(old))
    return `${name} has not followed its last epoch, ${lastEpochOf(old)}`
  const missing = endOf(old) - endOf(slave)
  if (missing > 0) return `${name} lacks the last ${missing} bytes of its log`
  // It may be the only one that holds them soon: a power cut of its machine must not take them.
  const unsynced = endOf(old) - (slave.status?.flushed ?? 0)
  return unsynced <= 0 ? undefined : `${name} does not have the last ${unsynced} bytes of its log on disk yet`
}

/** Rule 3.2, the old master not among those that can be heard: why an acknowledged message could be on nobody that is; undefined: it cannot. */
function shortageOf(
  chosen: MemberState,
  heard: readonly MemberState[],
  members: readonly MemberState[],
): string | undefined {
  const replicas = Math.max(members.length, ...members.map(({ hello }) => hello.totalReplicas))
  const inSync = Math.max(1, Math.min(...members.map(({ hello }) => hello.inSyncReplicas)))
  const needed = Math.min(replicas, replicas - inSync + 2) - 1
  const counted = heard.filter((member) => logIdOf(member) === logIdOf(chosen))
  if (counted.length < needed) {
    return `only ${counted.length} of the ${needed} replicas are here that must be asked who holds most (of ${replicas}, inSyncReplicas=${inSync}): start more of them, or give up what only they may hold with --accept-loss`
  }
  const best = counted.toSorted(byEnd)[0]
  if (best === undefined || byEnd(chosen, best) === 0 || isLevel(chosen, best)) return undefined
  return `${best.hello.identity} holds more: epoch ${lastEpochOf(best)} up to ${endOf(best)}, ${chosen.hello.identity} epoch ${lastEpochOf(chosen)} up to ${endOf(chosen)}`
}

function wordsOfLoss(chosen: MemberState, old: MemberState | undefined): string {
  const name = chosen.hello.identity
  const sayso = 'the old master is off by the word of the operator'
  if (old === undefined) return `${sayso}; ${name} goes on at ${endOf(chosen)}`
  const missing = endOf(old) - endOf(chosen)
  return missing <= 0
    ? `${sayso}; ${name} holds all that ${old.hello.identity} was last heard to have${waitsForNobody(old) ? '; what that one took after its last words it may have alone' : ''}`
    : `${sayso}; ${name} lacks at least the last ${missing} bytes that ${old.hello.identity} was heard to have: they were not on enough replicas, or nobody promised that they would be`
}

function waitsForNobody({ hello }: MemberState): boolean {
  return hello.inSyncReplicas <= 1
}

function isLevel(one: MemberState, other: MemberState): boolean {
  return lastEpochOf(one) === lastEpochOf(other) && endOf(one) === endOf(other)
}

function byEnd(one: MemberState, other: MemberState): number {
  return (
    lastEpochOf(other) - lastEpochOf(one) ||
    endOf(other) - endOf(one) ||
    Number(one.hello.role === 'master') - Number(other.hello.role === 'master') ||
    (one.hello.identity < other.hello.identity ? -1 : 1)
  )
}

function namesOf(members: readonly MemberState[]): string {
  return members.map(({ hello }) => hello.identity).join(', ')
}

function refuse(words: string): PromotionVerdict {
  return { kind: 'refuse', words }
}
