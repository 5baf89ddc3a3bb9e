import type { SimulatedClock, Span } from '@tandemmq/testkit'
import type { Cluster } from './cluster.ts'
import type { OrderWatch } from './order-watch.ts'
import type { Producer } from './producer.ts'
import type { Story } from './story.ts'
import type { WatchedWays } from './watched-ways.ts'

/** Packets take long enough that what was not waited for is still on its way, and no acknowledgement comes too late. */
const DELAY: Span = { min: 20, max: 60 }
/** Until all slaves count again that were late. */
const COUNTING_MS = 40_000
const NEXT_BATCH_MS = 20_000
const DOWN_MS = 3_000

export interface HeldLossParts {
  readonly time: SimulatedClock
  readonly cluster: Cluster
  readonly story: Story
  readonly producer: Producer
  readonly order: OrderWatch
  readonly ways: WatchedWays
  readonly until: (what: string, condition: () => boolean) => Promise<void>
}

/** The master is killed in the moment in which a consumer has been given a batch in order that all slaves must know of (rule 5.8). */
export async function loseWhileHeld(parts: HeldLossParts): Promise<void> {
  const { time, cluster, story, producer, order, ways } = parts
  const { master, slaves } = cluster
  await time.runUntil(() => ways.watchersOf(master).length === slaves.length, COUNTING_MS)
  for (const { name } of slaves) cluster.net.delay(master.name, name, DELAY)
  producer.start(false)
  const before = order.delivered
  await time.runUntil(() => order.delivered > before, NEXT_BATCH_MS)
  story.say('--', `${master.name}: killed for ${DOWN_MS} ms, a batch is held`)
  master.kill()
  await time.advance(DOWN_MS)
  producer.stop()
  for (const { name } of slaves) cluster.speedUp(master.name, name)
  master.start()
  await parts.until('all is well after a batch was held', () => cluster.isWell)
}
