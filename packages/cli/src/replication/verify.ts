import { setTimeout as delay } from 'node:timers/promises'
import { BrokerError } from '@tandemmq/base'
import type { ReplicaView, ReplicationView } from '@tandemmq/http'
import type { WhereToAsk } from '../admin-address.ts'
import type { AdminApi } from '../admin-api.ts'
import { masters } from './masters.ts'

export interface VerifyRequest extends WhereToAsk {
  readonly from?: number
  readonly to?: number
}

/** What came of comparing one slave with its master. */
export interface Verified {
  readonly set: string
  readonly slave: string
  readonly from: number
  readonly to: number
  /** `equal`; `differs` in {@link mismatches}; `incomplete`: some bytes could not be compared, or the slave is not there. */
  readonly result: 'equal' | 'differs' | 'incomplete'
  readonly mismatches: readonly { readonly from: number; readonly to: number }[]
  readonly skippedBytes: number
}

const LOOK_EVERY_MS = 200
/** A slave that got no further for this long is not waited for. */
const STALLED_MS = 15_000

/** What came of comparing a cluster. */
export interface Verification {
  readonly slaves: readonly Verified[]
  /** Sets of which no master answers: nothing was compared there. */
  readonly unanswered: readonly string[]
}

/** Has every master compare the range with each slave that it knows, and waits until they have. */
export async function verifyReplicas(request: VerifyRequest): Promise<Verification> {
  const { apis, missing } = await masters(request)
  const slaves = (await Promise.all(apis.map((master) => verifyOne(master, request)))).flat()
  return { slaves, unanswered: missing }
}

export function isAllEqual({ slaves, unanswered }: Verification): boolean {
  return unanswered.length === 0 && slaves.every(({ result }) => result === 'equal')
}

async function verifyOne(master: AdminApi, { from, to }: VerifyRequest): Promise<readonly Verified[]> {
  const before = await master.ask<ReplicationView>('/api/v1/replication')
  const skipped = new Map(
    slavesIn(before).map(({ identity, verification }) => [identity, verification.skippedBytes]),
  )
  const body = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
  const range = await master.ask<{ from: number; to: number }>('/api/v1/replication/verify', body)
  const isWhole = (from ?? 0) === 0 && to === undefined
  // Of nothing, nobody should hear that it is equal.
  if (range.from >= range.to && !isWhole) throw nothingBetween(from, to)
  let lastNews = performance.now()
  let lastSeen = ''
  for (;;) {
    const view = await master.ask<ReplicationView>('/api/v1/replication')
    const slaves = slavesIn(view)
    const seen = JSON.stringify(slaves.map(({ verification }) => verification))
    if (seen !== lastSeen) lastNews = performance.now()
    lastSeen = seen
    const waitsFor = slaves.some((slave) => isHere(slave) && slave.verification.run?.isDone !== true)
    if (!waitsFor || performance.now() - lastNews > STALLED_MS) {
      const set = view.members[0]?.set ?? ''
      return slaves.map((slave) => verified(set, slave, range, skipped.get(slave.identity) ?? 0))
    }
    await delay(LOOK_EVERY_MS)
  }
}

function verified(
  set: string,
  slave: ReplicaView,
  range: { readonly from: number; readonly to: number },
  skippedBefore: number,
): Verified {
  const { run, mismatches: known, skippedBytes } = slave.verification
  const mismatches = known.filter(({ from, to }) => from < range.to && to > range.from)
  const skipped = skippedBytes - skippedBefore
  const isComplete = run?.isDone === true && run.from === range.from && run.to === range.to && skipped === 0
  return {
    set,
    slave: slave.identity,
    ...range,
    result: mismatches.length > 0 ? 'differs' : isComplete ? 'equal' : 'incomplete',
    mismatches,
    skippedBytes: skipped,
  }
}

function nothingBetween(from = 0, to?: number): BrokerError {
  const where = to === undefined ? `from ${from} on` : `from ${from} to ${to}`
  return new BrokerError(
    'ILLEGAL_ARGUMENT',
    `nothing to compare: ${where} the log of the master holds no byte that is confirmed`,
  )
}

function slavesIn({ members }: ReplicationView): readonly ReplicaView[] {
  return members.flatMap(({ replicas }) => replicas)
}

function isHere({ state }: ReplicaView): boolean {
  return state === 'in sync' || state === 'behind' || state === 'not counted'
}

/** For people, one line for each slave and range. */
export function verifiedText({ slaves, unanswered }: Verification): readonly string[] {
  const silent = unanswered.map((set) => `${set}: no master answers, nothing was compared`)
  if (slaves.length === 0) return ['no slave to compare with', ...silent]
  return [...slaves.flatMap(textOf), ...silent]
}

function textOf({ set, slave, from, to, result, mismatches, skippedBytes }: Verified): readonly string[] {
  return [
    `${set}: ${slave} ${wordsOf(result)} its master from ${from} to ${to}`,
    ...(skippedBytes > 0 ? [`  ${skippedBytes} bytes could not be compared`] : []),
    ...mismatches.map((range) => `  differs from ${range.from} to ${range.to}`),
  ]
}

function wordsOf(result: Verified['result']): string {
  if (result === 'equal') return 'holds the same bytes as'
  return result === 'differs' ? 'differs from' : 'was not (wholly) compared with'
}
