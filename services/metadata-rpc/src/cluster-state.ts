import type { Check, Problem, Readiness } from '@tandemmq/base'
import {
  followingDescription,
  replicaView,
  replicationMember,
  type MemberState,
  type ReplicationMember,
  type SetState,
} from '@tandemmq/http'
import { TIMER_TOPIC } from '@tandemmq/metadata'
import type { MemberReport, Promoted, PromotionRequest, SetServing } from '@tandemmq/registry'
import type { ClusterRegistry } from './cluster-registry.ts'
import type { ClusterTopics } from './cluster-topics.ts'
import type {
  ClusterView,
  GroupDescription,
  GroupSummary,
  NewGroup,
  NewTopic,
  TopicDescription,
  TopicSummary,
} from './cluster-view.ts'
import type { SetCopies } from './set-copies.ts'

/** The cluster as people see it: what members said of themselves, and what the copies hold. */
export class ClusterState implements ClusterView {
  readonly #registry: ClusterRegistry
  readonly #copies: SetCopies
  readonly #topics: ClusterTopics
  readonly #expectedSets: readonly string[]

  constructor(
    registry: ClusterRegistry,
    copies: SetCopies,
    topics: ClusterTopics,
    expectedSets: readonly string[],
  ) {
    this.#registry = registry
    this.#copies = copies
    this.#topics = topics
    this.#expectedSets = expectedSets
  }

  sets(): readonly SetState[] {
    return this.#sortedSets().map((serving) => stateOf(serving, this.#registry.report(serving.set)))
  }

  replication(): readonly ReplicationMember[] {
    return this.#sortedSets().flatMap(({ set }) =>
      this.#registry.report(set).map((report) => replicationMember({ ...report, set }, report.details)),
    )
  }

  topics(): readonly TopicSummary[] {
    const names = new Set(
      [...this.#copies].flatMap(({ store }) => [...store.topics.values()].map(({ name }) => name)),
    )
    return [...names].toSorted().flatMap((name) => this.topic(name) ?? [])
  }

  topic(name: string): TopicDescription | undefined {
    const placements = this.#topics.topic(name)
    const [first] = placements
    if (first === undefined) return undefined
    const progress = [...this.#copies].flatMap(({ store }) => [...store.progress.all()])
    const groups = new Set(progress.filter(({ topic }) => topic === name).map(({ group }) => group))
    return {
      name,
      type: first.type,
      sets: placements.map(({ set }) => set),
      readQueues: first.readQueues,
      writeQueues: first.writeQueues,
      perm: first.perm,
      groups: [...groups].toSorted(),
    }
  }

  groups(): readonly GroupSummary[] {
    const groups = new Map(
      [...this.#copies].flatMap(({ store }) =>
        [...store.groups.values()].map((group) => [group.name, group]),
      ),
    )
    return [...groups.values()]
      .map(({ name, orderly, retryMaxTimes, consumeEnabled }) => ({
        name,
        orderly,
        retryMaxTimes,
        consumeEnabled,
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  group(name: string): GroupDescription | undefined {
    const summary = this.groups().find((group) => group.name === name)
    if (summary === undefined) return undefined
    const progress = [...this.#copies].flatMap(({ set, store }) =>
      [...store.progress.all()]
        .filter(({ group, topic }) => group === name && topic !== TIMER_TOPIC)
        .map(({ topic, queueId, floor }) => ({ set, topic, queueId, offset: floor })),
    )
    return { ...summary, progress }
  }

  createTopic(topic: NewTopic): Promise<void> {
    return this.#topics.makeTopic(topic)
  }

  createGroup(group: NewGroup): Promise<void> {
    return this.#topics.makeGroup(group)
  }

  promote(request: PromotionRequest): Promise<Promoted> {
    return this.#registry.promote(request)
  }

  /**
   * Ready when every set that is known or expected can be written and serves its consumers. A relay without its grantor says so, and is ready as
   * long as it knows a cluster that works.
   */
  readiness(): Readiness {
    const trouble = this.#registry.trouble()
    const isKnown = trouble === undefined || this.#registry.view.sets.length > 0
    return { ready: isKnown && this.#problemsOfSets().length === 0, problems: this.problems() }
  }

  problems(): readonly Problem[] {
    const trouble = this.#registry.trouble()
    return [...(trouble === undefined ? [] : [problem('registered', trouble)]), ...this.#problemsOfSets()]
  }

  #problemsOfSets(): readonly Problem[] {
    const { sets } = this.#registry.view
    const absent = this.#expectedSets.filter((name) => !sets.some(({ set }) => set === name))
    return [
      ...absent.map((name) => problem('registered', `no broker of ${name} has registered`)),
      ...sets.flatMap(({ set, serving, writable }) => [
        ...(serving === undefined ? [problem('serving', `nobody serves the consumers of ${set}`)] : []),
        ...this.#whyNoMessages(set, writable?.identity).map((why) => problem('writable', why)),
      ]),
    ]
  }

  #sortedSets(): readonly SetServing[] {
    return this.#registry.view.sets.toSorted((a, b) => (a.set < b.set ? -1 : 1))
  }

  /** Why a set takes no messages: it has no master, or its master says so itself. */
  #whyNoMessages(set: string, master: string | undefined): readonly string[] {
    if (master === undefined) return [`${set} takes no messages: it has no writable master now`]
    const said =
      this.#registry.report(set).find(({ identity }) => identity === master)?.details?.problems ?? []
    return said.map((why) => `${set} takes no messages: ${why}`)
  }
}

function problem(check: Check, message: string): Problem {
  return { check, message }
}

function stateOf({ set, serving, writable }: SetServing, reports: readonly MemberReport[]): SetState {
  const masterEnd = reports.find(({ role }) => role === 'master')?.end ?? 0
  const okMeans = reports.find(({ role }) => role === 'master')?.details?.okMeans
  return {
    name: set,
    ...(serving && { serving: { identity: serving.identity, epoch: serving.epoch } }),
    ...(writable && { writable: writable.identity }),
    ...(okMeans !== undefined && { okMeans }),
    members: reports.map((report) => memberOf(report, masterEnd)),
  }
}

function memberOf(report: MemberReport, masterEnd: number): MemberState {
  const { details } = report
  const sync = details?.metadataSync
  return {
    identity: report.identity,
    role: report.role,
    alive: report.alive,
    writable: report.writable,
    grpcAddress: report.grpcAddress,
    ...(report.haAddress !== '' && { haAddress: report.haAddress }),
    end: report.end,
    flushed: report.flushed,
    confirmed: report.confirmed,
    dispatched: report.dispatched,
    lagBytes: Math.max(0, masterEnd - report.end),
    ...(report.masterConnected !== undefined && { masterConnected: report.masterConnected }),
    ...(sync && { metadataSync: { ...sync, results: Object.fromEntries(sync.results) } }),
    ...(details && details.replicas.length > 0 && { replicas: details.replicas.map(replicaView) }),
    ...(details?.following && { following: followingDescription(details.following) }),
    problems: details?.problems ?? [],
  }
}
