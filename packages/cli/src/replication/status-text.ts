import type { FollowingDescription, ReplicaView, ReplicationMember, ReplicationView } from '@tandemmq/http'
import { table } from './table.ts'

const UNKNOWN = '–'

/** What `tandemmq replication status` prints for people: each master with its slaves, then each slave with its master. */
export function statusText({ members }: ReplicationView): readonly string[] {
  if (members.length === 0) return ['no broker has registered']
  return members.flatMap((member, index) => [
    ...(index === 0 ? [] : ['']),
    ...(member.role === 'master' ? masterText(member) : slaveText(member)),
    ...member.problems
      .filter((problem) => problem !== saidAlready(member))
      .map((problem) => `  ! ${problem}`),
  ])
}

/** That a slave does not follow its master is the first that is said of it. */
function saidAlready({ following }: ReplicationMember): string | undefined {
  return following?.problem
}

function masterText(master: ReplicationMember): readonly string[] {
  const replicas = master.replicas.toSorted((one, other) =>
    one.identity.localeCompare(other.identity, 'en', { numeric: true }),
  )
  if (replicas.length === 0) return [heading(master), '  no slave has connected since it started']
  const rows = replicas.map(rowOf)
  const headings = ['slave', 'state', 'address', 'behind', 'lag', 'sent', 'received', 'flushed', 'dispatched']
  return [
    heading(master),
    ...table([...headings, 'ack p50', 'p99', 'reconnects', 'refused'], rows).map((line) => `  ${line}`),
    ...replicas.flatMap(({ identity, problem, refusals, verification }) => [
      ...(problem === '' ? [] : [`  ${identity}: ${problem}`]),
      `  ${identity}: ${verificationText(verification)}`,
      ...(Object.keys(refusals).length === 0
        ? []
        : [`  ${identity}: ended or refused for ${counted(refusals)}`]),
    ]),
  ]
}

function verificationText({ verifiedTo, mismatches, run }: ReplicaView['verification']): string {
  if (verifiedTo === 0 && run === undefined && mismatches.length === 0) return 'not compared yet'
  const asked =
    run === undefined
      ? ''
      : `, by command from ${run.from} to ${run.to}${run.isDone ? '' : ` (now at ${run.next})`}`
  const compared = `compared in the background up to ${verifiedTo}${asked}`
  if (mismatches.length === 0) return `${compared}, no difference`
  return `${compared}, DIFFERS in ${rangesIn(mismatches)}`
}

function rangesIn(ranges: ReplicaView['verification']['mismatches']): string {
  return ranges.map(({ from, to }) => `[${from}, ${to})`).join(', ')
}

function rowOf(replica: ReplicaView): readonly string[] {
  const { ackLatency, connects, refusals } = replica
  const hasBeenHere = connects > 0
  const known = (text: string): string => (hasBeenHere ? text : UNKNOWN)
  const hasAcks = ackLatency.count > 0
  return [
    replica.identity,
    replica.state,
    replica.address === '' ? UNKNOWN : replica.address,
    known(bytes(replica.lagBytes)),
    known(seconds(replica.lagMs)),
    ...[replica.sent, replica.received, replica.flushed, replica.dispatched].map((at) => known(String(at))),
    hasAcks ? milliseconds(ackLatency.p50Ms) : UNKNOWN,
    hasAcks ? milliseconds(ackLatency.p99Ms) : UNKNOWN,
    String(Math.max(0, connects - 1)),
    String(Object.values(refusals).reduce((sum, count) => sum + count, 0)),
  ]
}

function slaveText(slave: ReplicationMember): readonly string[] {
  const { following } = slave
  return [heading(slave), ...(following === undefined ? [] : followingText(following))]
}

function followingText(following: FollowingDescription): readonly string[] {
  const { master, address, state, masterEnd, lagBytes, lagMs, heardAgoMs, dials, connects, troubles } =
    following
  const behind =
    masterEnd < 0
      ? 'not known how far behind'
      : `${bytes(lagBytes)} and ${seconds(lagMs)} behind its end at ${masterEnd}`
  const does = state === 'disconnected' ? 'disconnected from' : state
  const heard = heardAgoMs < 0 ? 'not connected' : `heard ${seconds(heardAgoMs)} ago`
  return [
    `  ${does} ${master === '' ? 'a master' : master} at ${address}: ${behind}, ${heard}`,
    `  connected ${times(connects)} in ${dials} ${dials === 1 ? 'attempt' : 'attempts'}${Object.keys(troubles).length === 0 ? '' : `; ended for ${counted(troubles)}`}`,
    ...(following.mismatches.length === 0
      ? []
      : [`  its master found it to DIFFER in ${rangesIn(following.mismatches)}`]),
    ...(following.problem === '' ? [] : [`  not following: ${following.problem}`]),
  ]
}

function heading({
  set,
  identity,
  role,
  alive,
  end,
  flushed,
  confirmed,
  dispatched,
}: ReplicationMember): string {
  const absence = alive ? '' : ' (not heard for a second: its last word)'
  return `${set}: ${role} ${identity}${absence}, log ends at ${end}, flushed ${flushed}, confirmed ${confirmed}, dispatched ${dispatched}`
}

function counted(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([reason, count]) => `${reason} (${count})`)
    .join(', ')
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function bytes(count: number): string {
  if (count < 10_240) return `${count} B`
  return count < 10 * 1024 ** 2 ? `${Math.round(count / 1024)} KiB` : `${Math.round(count / 1024 ** 2)} MiB`
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`
}
