import type { ClusterDescription, MemberState, SetState } from '@tandemmq/http'

/** How a master calls a replica that is not connected to it. */
const ABSENT: readonly string[] = ['away', 'refused', 'not seen']

/** What is wrong with a cluster. */
export interface Diagnosis {
  readonly complaints: readonly Complaint[]
}

/** One thing that is wrong, in words, with the way out where there is one. */
export interface Complaint {
  /** The broker that says it of itself, or of which it is said; absent: it concerns the cluster. */
  readonly identity?: string
  readonly message: string
}

/** What follows for the cluster, what members say of themselves, and what is to be said of those that say nothing. Each thing once. */
export function diagnosisOf({ sets, problems }: ClusterDescription): Diagnosis {
  if (sets.length === 0 && problems.length === 0)
    return { complaints: [{ message: 'no broker has registered' }] }
  // Why a set takes no messages is told in the words of its master.
  const isTold = (trouble: string): boolean =>
    problems.some(({ message }) => message.endsWith(`: ${trouble}`))
  return {
    complaints: [
      ...problems.map(({ message }) => ({ message })),
      ...sets
        .flatMap(({ members }) => members)
        .flatMap((member) =>
          troublesOf(member)
            .filter((trouble) => !isTold(trouble))
            .map((message) => ({ identity: member.identity, message })),
        ),
      ...sets.flatMap(missingIn),
    ],
  }
}

/** Who holds, or may hold, a copy of the log and is not there, and of whom only the master knows: metadata-rpc has not heard them since its own start. */
function missingIn({ members }: SetState): readonly Complaint[] {
  const heard = new Set(members.map(({ identity }) => identity))
  const copies = members.flatMap(({ alive, role, replicas = [] }) =>
    alive && role === 'master' ? replicas : [],
  )
  return copies
    .filter(({ identity, state }) => !heard.has(identity) && ABSENT.includes(state))
    .map(({ identity }) => ({
      identity,
      message: `its master remembers it and does not reach it, and metadata-rpc has not heard of it: start it, or \`tandemmq replica forget ${identity}\` if it is gone for good`,
    }))
}

/** For people: who does what in each set, and what is wrong. */
export function diagnosisText({ sets }: ClusterDescription, { complaints }: Diagnosis): readonly string[] {
  const count = complaints.length
  return [
    ...sets.flatMap(setText),
    ...complaints.map(
      ({ identity, message }) => `! ${identity === undefined ? '' : `${identity}: `}${message}`,
    ),
    count === 0 ? 'nothing is wrong' : `${count} ${count === 1 ? 'thing is' : 'things are'} wrong`,
  ]
}

function setText({ name, writable, serving, okMeans = '', members }: SetState): readonly string[] {
  return [
    `${name}: messages go to ${writable ?? 'nobody'}, consumers are served by ${serving?.identity ?? 'nobody'}`,
    ...(okMeans === '' ? [] : [`  OK means: ${okMeans}`]),
    ...members.map(
      ({ alive, role, identity }) => `  ${role} ${identity} ${alive ? 'is there' : 'is not heard'}`,
    ),
  ]
}

/** Of one that is away, what it said last means nothing any more. */
function troublesOf({ alive, problems, following }: MemberState): readonly string[] {
  if (!alive) return ['not heard by metadata-rpc: start it, or see why it does not get through']
  const differs = following !== undefined && following.mismatches.length > 0
  return differs
    ? [...problems, 'its log differs from that of its master: `tandemmq replication status` says where']
    : problems
}
