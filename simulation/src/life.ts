import { messageOf } from '@tandemmq/base'
import { groupConfig } from '@tandemmq/metadata'
import { SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import { liveApart } from './apart.ts'
import { goneFrom, verdictOf, type Verdict } from './checks.ts'
import type { BrokerWatch } from './broker-node.ts'
import type { Witness } from './client-calls.ts'
import { Cluster } from './cluster.ts'
import { Consumer } from './consumer.ts'
import { loseWhileHeld } from './held-loss.ts'
import { Knowledge } from './knowledge.ts'
import { Ledger } from './ledger.ts'
import type { Loss } from './loss.ts'
import { Operator } from './operator.ts'
import { OrderlyConsumer, ORDERLY_GROUP } from './orderly-consumer.ts'
import { OrderWatch } from './order-watch.ts'
import { Misfortunes } from './misfortunes.ts'
import { headline, planOf, type Apart, type Plan, type SuffixLoss } from './plan.ts'
import { PrefixWatch } from './prefix-watch.ts'
import { Producer } from './producer.ts'
import { Serving } from './serving.ts'
import { SettledWatch } from './settled-watch.ts'
import { Story } from './story.ts'
import { WatchedWays } from './watched-ways.ts'
import { loseSuffix } from './suffix-loss.ts'

/** How long a cluster may take until all is well, once nothing goes wrong any more. */
const RECOVERY_MS = 40_000
/** Some conditions take long to look at: once in so many simulated ms. */
const LOOK_MS = 20
const LAST_SENDS = 5
/** Whatever looks after processes starts one again after so long. */
const RESTART_MS = 1_000
const LAST_WORK_MS = 1_500
/** After so long without a word the registry hangs up on a member. */
const SILENT_MS = 6_000

/** How a life went. */
export interface Outcome extends Verdict {
  readonly headline: string
  readonly summary: string
  /** Scheduled messages that consumers got while no master could put them into their topics. */
  readonly servedDue: number
  readonly story: readonly string[]
  /** What became of one message, as lines. */
  readonly tell: (id: string) => readonly string[]
}

/** Lives one life of a cluster, all of it decided by the seed, and judges it. Never rejects: what fails is a violation. */
export async function live(seed: number): Promise<Outcome> {
  return new Life(planOf(seed)).run()
}

class Life {
  readonly #plan: Plan
  readonly #time = new SimulatedClock()
  readonly #story = new Story(this.#time)
  readonly #ledger = new Ledger()
  readonly #violations: string[] = []
  readonly #cluster: Cluster
  readonly #misfortunes: Misfortunes
  readonly #knowledge: Knowledge
  readonly #prefixes: PrefixWatch
  readonly #settled: SettledWatch
  readonly #serving: Serving
  readonly #producer: Producer
  readonly #consumers: readonly (Consumer | OrderlyConsumer)[]
  readonly #ways: WatchedWays
  readonly #order: OrderWatch
  #loss: Loss | undefined
  #rolesChange: BrokerWatch['rolesChange'] = () => {}

  constructor(plan: Plan) {
    this.#plan = plan
    const random = new SeededRandom(plan.seed ^ 0x5eed)
    const failed = (words: string): void => {
      this.#violations.push(words)
    }
    const answered = (witness: Witness): void => this.#serving.answered(witness)
    this.#cluster = new Cluster(plan, this.#time, random, this.#story, {
      answered,
      failed,
      opened: (name, broker) => this.#settled.opened(name, broker),
      handsOver: (from, to, isServing) => this.#handsOver(from, to, isServing),
      ended: (node) => void this.#time.after(RESTART_MS, () => node.start()),
      rolesChange: (node, broker) => this.#rolesChange(node, broker),
    })
    this.#misfortunes = new Misfortunes(this.#cluster, plan, this.#story)
    this.#prefixes = new PrefixWatch(this.#cluster, failed)
    this.#settled = new SettledWatch(this.#cluster, failed)
    this.#knowledge = new Knowledge(this.#cluster)
    this.#serving = new Serving(this.#cluster, this.#misfortunes, failed)
    this.#ways = new WatchedWays(this.#cluster)
    this.#order = new OrderWatch({
      cluster: this.#cluster,
      misfortunes: this.#misfortunes,
      ways: this.#ways,
      violate: failed,
    })
    const choice = new SeededRandom(plan.seed ^ 0x6a7e)
    const parts = {
      time: this.#time,
      plan,
      ledger: this.#ledger,
      gateway: () => this.#cluster.gateway(choice),
      failed,
    }
    this.#producer = new Producer({ ...parts, random: random.fork() })
    const consumers = Array.from(
      { length: plan.consumers },
      () =>
        new Consumer({
          ...parts,
          random: random.fork(),
          received: (_entry, witness) => this.#serving.accepted(witness),
        }),
    )
    const inOrder = Array.from(
      { length: 2 },
      () => new OrderlyConsumer({ ...parts, order: this.#order, random: random.fork() }),
    )
    this.#consumers = [...consumers, ...inOrder]
  }

  async run(): Promise<Outcome> {
    try {
      await this.#live()
    } catch (cause) {
      this.#violations.push(`it came to no good end: ${messageOf(cause)}`)
    }
    const verdict = verdictOf({
      cluster: this.#cluster,
      ledger: this.#ledger,
      knowledge: this.#knowledge,
      misfortunes: this.#misfortunes,
      expires: this.#plan.reservedMs !== undefined,
      loss: this.#loss,
    })
    return {
      headline: headline(this.#plan),
      summary: `${this.#ledger.summary()}, excused ${verdict.excused}; longest pause ${this.#ledger.longestPauseMs} ms; ${this.#order.summary}${this.#loss === undefined ? '' : `; ${this.#loss.words}`}`,
      violations: [...this.#violations, ...verdict.violations],
      excused: verdict.excused,
      servedDue: this.#ledger.servedDue,
      story: this.#story.lines,
      tell: (id) => this.#ledger.tell(id),
    }
  }

  async #live(): Promise<void> {
    const { starts, workMs, invisibleMs, suffixLoss, losesHolder, apart } = this.#plan
    const time = this.#time
    for (const { who, pauseMs } of starts) {
      this.#cluster.start(who)
      await time.advance(pauseMs)
    }
    await this.#until('the cluster is up', () => this.#cluster.isWell)
    await this.#makeOrderly()
    this.#knowledge.begin()
    this.#prefixes.begin()
    this.#settled.begin()
    this.#ways.begin()
    for (const consumer of this.#consumers) consumer.start()
    this.#producer.start()
    this.#misfortunes.begin()
    const operator = new Operator(this.#cluster, this.#story)
    operator.begin(this.#plan.promotions)
    await time.advance(workMs)
    this.#producer.stop()
    this.#misfortunes.end()
    operator.end()
    await this.#until('all is well again', () => !operator.isBusy && this.#cluster.isWell)
    const wellAt = time.monotonic()
    await this.#drain()
    await this.#until('what is in order goes on', () => this.#order.lastAt >= wellAt)
    if (this.#plan.losesMaster) await this.#loseMaster(operator)
    if (suffixLoss !== undefined) await this.#loseSuffix(suffixLoss, operator)
    if (losesHolder) {
      await this.#loseHolder()
      await this.#drain()
    }
    if (apart !== undefined) {
      await this.#liveApart(apart)
      await this.#drain()
    }
    // What would come again comes when the last invisibility is over.
    await time.advance(invisibleMs + 2_000)
    for (const consumer of this.#consumers) consumer.stop()
    if (!this.#plan.losesMaster) await this.#until('the slaves have it all', () => this.#cluster.isWell)
  }

  #handsOver(from: string, to: string, isServing: boolean): () => void {
    const began = this.#time.monotonic()
    return () => {
      const knownAt = isServing ? began : this.#time.monotonic()
      this.#knowledge.handedOver(from, to, knownAt)
      this.#order.handedOver(from, to, knownAt)
    }
  }

  async #makeOrderly(): Promise<void> {
    const metadata = this.#cluster.master.broker?.metadata
    metadata?.commit({ kind: 'group-put', group: groupConfig({ name: ORDERLY_GROUP, orderly: true }) })
    await this.#time.outcome(metadata?.synced() ?? Promise.resolve())
  }

  /** All that was promised is acknowledged, or has expired before it was. */
  get #isSettled(): boolean {
    const outstanding = this.#ledger.outstanding.filter((entry) => this.#loss?.isLost(entry) !== true)
    if (this.#plan.reservedMs === undefined || outstanding.length === 0) return outstanding.length === 0
    const isGone = goneFrom(this.#cluster)
    return outstanding.every(isGone)
  }

  /** All is well, and every message that was promised is acknowledged. */
  async #drain(): Promise<void> {
    const now = this.#time.monotonic()
    await this.#until('the gateways hear the master', () => this.#cluster.gatewaysHear(now))
    for (let count = 0; count < LAST_SENDS; count += 1) {
      const { id, fate } = await this.#time.outcome(this.#producer.send())
      if (fate !== 'ok') this.#violations.push(`${id} was sent to a cluster that is well: ${fate}`)
    }
    await this.#until('everything promised is acknowledged', () => this.#isSettled)
  }

  #loseHolder(): Promise<void> {
    return loseWhileHeld({
      time: this.#time,
      cluster: this.#cluster,
      story: this.#story,
      producer: this.#producer,
      order: this.#order,
      ways: this.#ways,
      until: (what, condition) => this.#until(what, condition),
    })
  }

  #liveApart(plan: Apart): Promise<void> {
    const { mode } = this.#plan
    return liveApart(plan, {
      time: this.#time,
      cluster: this.#cluster,
      story: this.#story,
      producer: this.#producer,
      waits: mode.replication === 'sync' && mode.inSyncReplicas > 1,
      until: (what, condition) => this.#until(what, condition),
      failed: (words) => void this.#violations.push(words),
    })
  }

  async #loseSuffix(plan: SuffixLoss, operator: Operator): Promise<void> {
    this.#loss = await loseSuffix(plan, {
      time: this.#time,
      cluster: this.#cluster,
      misfortunes: this.#misfortunes,
      producer: this.#producer,
      operator,
      story: this.#story,
      until: (what, condition) => this.#until(what, condition),
      onRolesChange: (listener) => {
        this.#rolesChange = listener
      },
    })
    await this.#drain()
  }

  async #loseMaster(operator: Operator): Promise<void> {
    this.#producer.start(false)
    // Behind a slow link, what was answered and what was copied lie far apart.
    const { master, slaves } = this.#cluster
    for (const { name } of slaves) this.#cluster.slowDown(master.name, name)
    await this.#time.advance(LAST_WORK_MS)
    this.#story.say('--', 'the machine of the master is lost for good')
    master.lose()
    this.#producer.stop()
    await this.#until('everything promised came from the slave', () => this.#ledger.outstanding.length === 0)
    // For so long the registry may take a machine without power for one that is only slow.
    await this.#time.advance(SILENT_MS)
    const successor = await this.#time.outcome(operator.replaceLost())
    if (successor === undefined)
      return void this.#violations.push('nobody could take the place of a lost master')
    await this.#until(`${successor} serves as master`, () => {
      const broker = this.#cluster.broker(successor)?.broker
      return broker?.role.kind === 'master' && broker.servingEpoch !== undefined
    })
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    const began = this.#time.monotonic()
    let next = began
    const isSo = (): boolean => {
      const now = this.#time.monotonic()
      if (now < next) return false
      next = now + LOOK_MS
      return condition()
    }
    try {
      await this.#time.runUntil(isSo, RECOVERY_MS)
    } catch (cause) {
      this.#story.say('--', `${what}: not within ${RECOVERY_MS} ms: ${messageOf(cause)}`)
      throw new Error(`${what}: not within ${RECOVERY_MS} ms (${messageOf(cause)})`, { cause })
    }
    this.#story.say('--', `${what} (${this.#time.monotonic() - began} ms)`)
  }
}
