import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@tandemmq/interop'
import type { SeededRandom } from '@tandemmq/testkit'
import { Cluster } from './cluster.ts'
import type { ClusterMode } from './conf.ts'
import { Consumers } from './consumers.ts'
import { GatewayClient } from './gateway-client.ts'
import { GroupJudge } from './group-judge.ts'
import { commitLogBytes, firstDifference, messagesIn } from './log-copy.ts'
import { logViolations, lostFrom } from './log-judge.ts'
import { stageOf, type Misfortune } from './misfortunes.ts'
import { Producers } from './producers.ts'
import type { RoundResult } from './round.ts'
import { Sends } from './sends.ts'
import { ServingWatch } from './serving-watch.ts'

const TOPIC = 'Rounds'
const QUEUES = 4
const LANES = 32
const LOOPS = 2
/** Of each round, before its misfortune and after it. */
const SENDS_BEFORE = 300
const SENDS_AFTER = 150
/** An acknowledgement may have to wait for the end of an invisible time, and a receive for a lost answer. */
const DRAINED_WITHIN_MS = 90_000

interface Checked {
  /** Acknowledged messages, by their numbers. */
  readonly lost: readonly number[]
  readonly violations: readonly string[]
}

/** One cluster from its first start on, with a producer and two consumer groups, through one round after the other. */
export class Life implements AsyncDisposable {
  readonly #cluster: Cluster
  readonly #sends = new Sends()
  readonly #groups = [
    new GroupJudge('ordinary', false, this.#sends),
    new GroupJudge('orderly', true, this.#sends),
  ]
  readonly #clients: GatewayClient[] = []
  readonly #consumers: readonly Consumers[]
  readonly #watch: ServingWatch

  private constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#consumers = this.#groups.map(
      (judge) =>
        new Consumers({
          client: this.#client(judge.name),
          topic: TOPIC,
          judge,
          handleKey: cluster.handleKey,
          loops: LOOPS,
        }),
    )
    this.#watch = new ServingWatch(cluster)
  }

  /** `directory` comes to be. */
  static async begin(mode: ClusterMode, directory: string): Promise<Life> {
    mkdirSync(directory, { recursive: true })
    const cluster = await Cluster.start(mode, directory)
    await cluster.createTopic(TOPIC, QUEUES)
    await cluster.createGroup('ordinary', false)
    await cluster.createGroup('orderly', true)
    return new Life(cluster)
  }

  /** Rejects when the cluster does not become whole again, or does not deliver what it holds. */
  async round(round: number, misfortune: Misfortune, random: SeededRandom): Promise<RoundResult> {
    const { flush, slaves } = this.#cluster.mode
    const sentBefore = this.#sends.all.length
    const before = { again: this.#sum('again'), excused: this.#sum('excused') }
    const suffered = await this.#suffer(misfortune, random)
    const inLogs = await this.#checkLogs()
    // What is in no log comes to nobody.
    if (inLogs.lost.length === 0) await this.#drained()
    for (const group of this.#groups) group.misfortune()
    const inGroups = this.#checkGroups()
    const ofRound = this.#sends.all.slice(sentBefore)
    const having = (fate: string): number => ofRound.filter((sent) => sent.fate === fate).length
    return {
      round,
      misfortune: misfortune.name,
      brokers: `${flush}, ${slaves} ${slaves === 1 ? 'slave' : 'slaves'}`,
      sent: ofRound.length,
      acknowledged: having('acknowledged'),
      refused: having('refused'),
      unknown: having('unknown'),
      ...suffered,
      again: this.#sum('again') - before.again,
      excused: this.#sum('excused') - before.excused,
      lost: new Set([...inLogs.lost, ...inGroups.lost]).size,
      violations: [...inLogs.violations, ...inGroups.violations, ...this.#watch.violations()],
    }
  }

  /** One misfortune under load, which ends when the cluster has been whole again for a while, or never is. */
  async #suffer(
    misfortune: Misfortune,
    random: SeededRandom,
  ): Promise<Pick<RoundResult, 'sendPauseMs' | 'receivePauseMs' | 'recoveryMs'>> {
    const producers = new Producers(this.#client('producer'), TOPIC, LANES, this.#sends)
    const pauses = [this.#sends.pauses, ...this.#consumers.map((consumers) => consumers.pauses)]
    try {
      await this.#sends.more(SENDS_BEFORE)
      await this.#cluster.informed()
      for (const each of pauses) each.begin()
      for (const group of this.#groups) group.misfortune(Date.now())
      await misfortune.strike(stageOf(this.#cluster, random))
      const mendedAt = performance.now()
      this.#cluster.mend()
      await this.#cluster.whole()
      const recoveryMs = Math.round(performance.now() - mendedAt)
      await this.#sends.more(SENDS_AFTER)
      const [sendPauseMs = 0, ...receivePausesMs] = pauses.map(({ longestMs }) => longestMs)
      return { sendPauseMs, receivePauseMs: Math.max(...receivePausesMs), recoveryMs }
    } finally {
      await producers.stop()
    }
  }

  /** Leaves what is known of all messages beside the logs and disks. */
  keepEvidence(): void {
    const { directory } = this.#cluster
    const outstanding = Object.fromEntries(this.#groups.map((group) => [group.name, group.outstanding()]))
    writeFileSync(join(directory, 'sends.json'), JSON.stringify({ outstanding, sends: this.#sends.all }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#consumers.map((consumers) => consumers.stop()), this.#watch.stop()])
    for (const client of this.#clients) client.close()
    await this.#cluster[Symbol.asyncDispose]()
  }

  #client(name: string): GatewayClient {
    const client = new GatewayClient(this.#cluster.endpoints, `rounds-${name}-${this.#clients.length}`)
    this.#clients.push(client)
    return client
  }

  /** Waits, as long as that is reasonable, until the groups have everything. */
  async #drained(): Promise<void> {
    const isDrained = (): boolean => this.#groups.every((group) => group.outstanding().length === 0)
    await until('the groups to have everything', isDrained, DRAINED_WITHIN_MS).catch(() => undefined)
  }

  async #checkLogs(): Promise<Checked> {
    const { master, slaves } = this.#cluster
    const end = await this.#cluster.level()
    const log = commitLogBytes(master.storeFromHere, end)
    const stored = messagesIn(log, TOPIC)
    const lost = lostFrom(stored, this.#sends)
    const copies = slaves.flatMap(({ name, storeFromHere }) => {
      const at = firstDifference(log, commitLogBytes(storeFromHere, end))
      return at === -1 ? [] : [`the log of ${name} differs from the master's at ${at}`]
    })
    const words = lost.map((number) => `message ${number} was acknowledged and is in no log`)
    return { lost, violations: [...words, ...copies, ...logViolations(stored, this.#sends)] }
  }

  #checkGroups(): Checked {
    const history = this.#watch.history()
    for (const group of this.#groups) group.judgeRepeats(history)
    return {
      lost: this.#groups.flatMap((group) => group.missing()),
      violations: this.#groups.flatMap((group) => {
        const left = group.outstanding()
        const stuck = `${group.name}: ${left.length} have not come, or not again after a refused acknowledgement: ${left.join(' ')}`
        return left.length === 0 ? group.violations : [stuck, ...group.violations]
      }),
    }
  }

  #sum(what: 'again' | 'excused'): number {
    return this.#groups.reduce((sum, group) => sum + group[what], 0)
  }
}
