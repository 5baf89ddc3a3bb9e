import type { Broker } from '@tandemmq/broker'
import type { SimulatedClock } from '@tandemmq/testkit'
import type { BrokerNode, BrokerWatch } from './broker-node.ts'
import type { Cluster } from './cluster.ts'
import { Loss } from './loss.ts'
import type { Misfortunes } from './misfortunes.ts'
import type { Operator } from './operator.ts'
import { RELAY, type SuffixLoss } from './plan.ts'
import type { Producer } from './producer.ts'
import type { Story } from './story.ts'
import { WrittenLog } from './written-log.ts'

/** For so long the registry may take a machine without power for one that is only slow. */
const SILENT_MS = 6_000
const WORK_AFTER_MS = 1_500
/** A slave that can be reached this long before the restarted master stops to wait (rule 3.2) is asked. */
const IN_TIME_MS = 2_500

export interface SuffixLossParts {
  readonly time: SimulatedClock
  readonly cluster: Cluster
  readonly misfortunes: Misfortunes
  readonly producer: Producer
  readonly operator: Operator
  readonly story: Story
  /** Rejects if it does not come to pass. */
  readonly until: (what: string, condition: () => boolean) => Promise<void>
  /** Who is told from now on. */
  readonly onRolesChange: (listener: BrokerWatch['rolesChange']) => void
}

/** An asynchronous master loses the end of its log under load. When this resolves, another epoch has begun and all is well again, but not drained. */
export async function loseSuffix(plan: SuffixLoss, parts: SuffixLossParts): Promise<Loss> {
  const { time, cluster, producer, story } = parts
  producer.start()
  const loss = await (plan.of === 'deposed' ? depose(plan, parts) : strike(plan, parts))
  const { broker } = cluster.master
  if (broker !== undefined) loss.wentOn(broker)
  story.say('--', loss.words)
  await time.advance(WORK_AFTER_MS)
  producer.stop()
  await parts.until('all is well with what is left', () => cluster.isWell)
  return loss
}

async function strike(plan: SuffixLoss, parts: SuffixLossParts): Promise<Loss> {
  const { time, cluster } = parts
  const { master, slaves } = cluster
  const servingEpoch = master.broker?.servingEpoch ?? 0
  const behind = plan.hitsAll ? slaves : slaves.slice(0, 1)
  for (const { name } of behind) obstruct(cluster, plan.link, master.name, name)
  await time.advance(plan.workMs)
  const { broker } = master
  if (broker === undefined) throw new Error('there is no master to lose')
  const loss = new Loss({
    who: master.name,
    broker,
    at: time.monotonic(),
    servingEpoch,
    atLeast: heldElsewhere(plan, cluster, broker),
  })
  const heal = (): void => {
    for (const { name } of slaves) clear(cluster, master.name, name)
  }
  if (plan.of === 'tail') await restart(plan, parts, master, heal)
  else await replace(plan, parts, master, heal)
  return loss
}

/** How much of the log of `broker` cannot be lost. */
function heldElsewhere({ of, link, downMs, linkMs }: SuffixLoss, cluster: Cluster, broker: Broker): number {
  const isAsked = of !== 'tail' || !link.startsWith('cut') || linkMs < downMs + IN_TIME_MS
  const synced = of === 'tail' ? broker.store.flushed.at : 0
  return Math.max(synced, isAsked ? heldBySlaves(cluster) : 0)
}

function heldBySlaves({ slaves }: Cluster): number {
  return Math.max(...slaves.map(({ broker }) => (broker ? new WrittenLog(broker).wholeEnd : 0)))
}

/** Whoever goes to the relay does not hear that another one is the master now. */
async function depose(plan: SuffixLoss, parts: SuffixLossParts): Promise<Loss> {
  const { time, cluster, operator, story, until } = parts
  const { master, slaves, metadata, net } = cluster
  const servingEpoch = master.broker?.servingEpoch ?? 0
  const apart = [master.name, RELAY].flatMap((one) =>
    [metadata, ...slaves].map(({ name: other }) => ({ one, other })),
  )
  story.say('--', `${master.name} and ${RELAY} are cut off, and said to be off`)
  for (const { one, other } of apart) net.cut(one, other)
  await time.advance(SILENT_MS)
  const atLeast = heldBySlaves(cluster)
  const successor = await time.outcome(operator.replaceLost())
  if (successor === undefined) throw new Error('nobody could take the place of a master that was cut off')
  await until(`${successor} takes messages`, () => takesMessages(cluster, successor))
  await time.advance(plan.workMs)
  let loss: Loss | undefined
  parts.onRolesChange((node, broker) => {
    if (node !== master || loss !== undefined) return
    loss = new Loss({ who: master.name, broker, at: time.monotonic(), servingEpoch, atLeast })
  })
  for (const { one, other } of apart) net.heal(one, other)
  await until(`${master.name} hears that it is deposed`, () => loss !== undefined)
  if (loss === undefined) throw new Error('nobody was deposed')
  return loss
}

async function restart(
  { downMs, linkMs }: SuffixLoss,
  { time, misfortunes, cluster, story, until }: SuffixLossParts,
  master: BrokerNode,
  heal: () => void,
): Promise<void> {
  story.say('--', `${master.name}: power cut for ${downMs} ms`)
  misfortunes.cutPower(master)
  time.after(linkMs, heal)
  await time.advance(downMs)
  master.start()
  await until(`${master.name} takes messages again`, () => takesMessages(cluster, master.name))
  await time.advance(Math.max(0, linkMs - downMs))
}

async function replace(
  { of, downMs }: SuffixLoss,
  { time, misfortunes, operator, cluster, story, until }: SuffixLossParts,
  master: BrokerNode,
  heal: () => void,
): Promise<void> {
  story.say('--', `${master.name}: ${of === 'machine' ? 'its machine is lost for good' : 'power cut'}`)
  misfortunes.cutPower(master)
  if (of === 'machine') master.lose()
  await time.advance(SILENT_MS)
  heal()
  const successor = await time.outcome(operator.replaceLost())
  if (successor === undefined) throw new Error('nobody could take the place of a lost master')
  await until(`${successor} takes messages`, () => takesMessages(cluster, successor))
  if (of === 'machine') return
  await time.advance(downMs)
  story.say('--', `${master.name}: started`)
  master.start()
}

function takesMessages(cluster: Cluster, name: string): boolean {
  const broker = cluster.broker(name)?.broker
  return broker?.role.kind === 'master' && broker.store.isWritable && broker.servingEpoch !== undefined
}

function obstruct(cluster: Cluster, link: SuffixLoss['link'], master: string, slave: string): void {
  const { net } = cluster
  if (link === 'slow') cluster.slowDown(master, slave)
  if (link === 'cut') net.cut(master, slave)
  if (link === 'cut-one-way') net.cutOneWay(master, slave)
}

function clear(cluster: Cluster, master: string, slave: string): void {
  cluster.net.heal(master, slave)
  cluster.speedUp(master, slave)
}
