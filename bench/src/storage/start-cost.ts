import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Samples, costOf, rounded } from './measure.ts'
import { messagesOf } from './messages.ts'
import type { BenchPlan } from './plan.ts'
import { BenchDirectory, openMaster, openStore } from './store-stand.ts'

const TOPICS = [1, 100, 10_000]
const QUEUES = 4

/** How long a store takes to open that was stopped cleanly, by its number of topics with four queues each. The floor lists their directories. */
export async function startCosts(plan: BenchPlan): Promise<Record<string, unknown>> {
  const figures: Record<string, unknown> = {}
  for (const wanted of TOPICS) {
    const topics = wanted > 100 ? plan.scaled(wanted) : wanted
    await using directory = await BenchDirectory.make(plan.directory)
    const root = directory.path
    await writeTopics(root, topics)
    const wall = new Samples()
    const cpu = new Samples()
    const floor = new Samples()
    for (let round = 0; round < plan.rounds; round += 1) {
      const bare = await costOf(() => void listQueues(root))
      floor.add(bare.cpuUs / 1000)
      const opened = await costOf(async () => {
        await using store = await openStore(root)
        if (store.end === 0) throw new Error('the log is gone')
      })
      wall.add(opened.wallUs / 1000)
      cpu.add(opened.cpuUs / 1000)
    }
    figures[wanted] = {
      topics,
      queuesPerTopic: QUEUES,
      startAndStopMs: wall.median,
      startAndStopCpuMs: cpu.median,
      startAndStopCpuMsRange: cpu.range,
      floorCpuMs: floor.median,
      cpuToFloor: rounded(cpu.median / floor.median),
    }
  }
  return figures
}

async function writeTopics(root: string, topics: number): Promise<void> {
  await using store = await openMaster(root)
  const make = messagesOf(128)
  for (let n = 0; n < topics * QUEUES; n += 1) {
    store.append({ ...make(n), topic: `topic-${Math.floor(n / QUEUES)}`, queueId: n % QUEUES })
    if (n % 64 === 0) await store.dispatched.reached(store.end)
  }
  await store.dispatched.reached(store.end)
}

function listQueues(root: string): number {
  const queues = join(root, 'consumequeue')
  let files = 0
  for (const topic of readdirSync(queues))
    for (const queue of readdirSync(join(queues, topic)))
      files += readdirSync(join(queues, topic, queue)).length
  return files
}
