import type { SimulatedClock } from '@tandemmq/testkit'
import type { Cluster } from './cluster.ts'
import type { Apart } from './plan.ts'
import type { Producer } from './producer.ts'
import type { Story } from './story.ts'

export interface ApartParts {
  readonly time: SimulatedClock
  readonly cluster: Cluster
  readonly story: Story
  readonly producer: Producer
  /** Whether an OK of the master waits for replicas. */
  readonly waits: boolean
  readonly until: (what: string, condition: () => boolean) => Promise<void>
  readonly failed: (words: string) => void
}

/**
 * The master is killed under load and comes back, but it and its slaves do not reach each other. Where its OK waits for nobody it gets serving through
 * metadata-rpc; otherwise serving stays with the slave until they meet again (rule 4.7).
 */
export async function liveApart({ link, workMs, downMs, lastsMs }: Apart, parts: ApartParts): Promise<void> {
  const { time, cluster, story, producer, waits, until, failed } = parts
  const { master, slaves, net } = cluster
  producer.start()
  if (link === 'slow') for (const { name } of slaves) cluster.slowDown(master.name, name)
  await time.advance(workMs)
  story.say('--', `${master.name}: killed for ${downMs} ms, and cut off from its slaves from now on`)
  master.kill()
  for (const { name } of slaves) {
    if (link === 'cut-one-way') net.cutOneWay(master.name, name)
    else net.cut(master.name, name)
  }
  await time.advance(downMs)
  master.start()
  if (waits) {
    for (let left = lastsMs; left > 0; left -= 500) {
      await time.advance(500)
      if (master.broker?.servingEpoch !== undefined)
        failed(`${master.name} serves, and its slaves are cut off from it`)
    }
  } else {
    await until('serving went around', () => master.broker?.servingEpoch !== undefined)
    await time.advance(lastsMs)
  }
  producer.stop()
  for (const { name } of slaves) {
    net.heal(master.name, name)
    cluster.speedUp(master.name, name)
  }
  await until('all is well where they were apart', () => cluster.isWell)
}
