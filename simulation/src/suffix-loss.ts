import type { SimulatedClock } from '@tandemmq/testkit'
import type { BrokerNode } from './broker-node.ts'
import type { Cluster } from './cluster.ts'
import { Loss } from './loss.ts'
import type { Misfortunes } from './misfortunes.ts'
import type { Operator } from './operator.ts'
import type { SuffixLoss } from './plan.ts'
import type { Producer } from './producer.ts'
import type { Story } from './story.ts'

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
}

/** An asynchronous master loses the end of its log under load. When this resolves, another epoch has begun and all is well again, but not drained. */
export async function loseSuffix(plan: SuffixLoss, parts: SuffixLossParts): Promise<Loss> {
  const { time, cluster, producer, story } = parts
  const { master, slaves } = cluster
  producer.start()
  for (const { name } of slaves) obstruct(cluster, plan.link, master.name, name)
  await time.advance(plan.workMs)
  const loss = lossOf(plan, parts)
  const heal = (): void => {
    for (const { name } of slaves) clear(cluster, master.name, name)
  }
  if (plan.of === 'tail') await restart(plan, parts, master, heal)
  else await replace(plan, parts, master, heal)
  const { broker } = cluster.master
  if (broker !== undefined) loss.wentOn(broker)
  story.say('--', loss.words)
  await time.advance(WORK_AFTER_MS)
  producer.stop()
  await parts.until('all is well with what is left', () => cluster.isWell)
  return loss
}

function lossOf({ of, link, downMs, linkMs }: SuffixLoss, { cluster, time }: SuffixLossParts): Loss {
  const { master, slaves } = cluster
  const { broker } = master
  if (broker === undefined) throw new Error('there is no master to lose')
  const held = Math.max(...slaves.map((slave) => slave.broker?.store.end ?? 0))
  const isAsked = of !== 'tail' || !link.startsWith('cut') || linkMs < downMs + IN_TIME_MS
  const synced = of === 'tail' ? broker.store.flushed.at : 0
  const atLeast = Math.max(synced, isAsked ? held : 0)
  return new Loss({ who: master.name, broker, at: time.monotonic(), atLeast })
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
