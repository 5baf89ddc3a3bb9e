import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@tandemmq/interop'
import { FailingSync } from '../failing-sync.ts'
import type { Scenario } from '../scenario.ts'
import type { Broker } from '../system.ts'
import { trySends } from '../tries.ts'

const TOPIC = 'StateFiles'
const GROUP = 'state-files'
const SENDS = 60
/** So many are consumed, and their progress is on file, before the rest is. */
const ON_FILE = 40
const LATER_TOPICS = ['StateFilesSecond', 'StateFilesThird'] as const

export const stateFileCut: Scenario = {
  name: 'state-file-cut',
  done: `a group consumes ${ON_FILE} messages, and ${SENDS - ON_FILE} more once that is on file; the power goes at the next sync of consumerOffset.json (what is being written is empty then), in the next life at that of topics.json, while a topic comes to be`,
  asked: 'it starts by itself; nothing consumed comes again, no acknowledged message is gone',
  async observe(system) {
    const progressFile = join(system.masterStore, 'config', 'consumerOffset.json')
    const acknowledged = new Map<string, readonly string[]>()
    const note = async (broker: Broker, topic: string, count: number): Promise<void> => {
      acknowledged.set(topic, (await trySends(broker, topic, topic, count)).acknowledged)
    }

    const progressCut = new FailingSync(system.directory, 'cut', '/config/consumerOffset.json')
    const first = await system.startMaster({ environment: progressCut.environment })
    await note(first, TOPIC, SENDS)
    const consumed = [...(await first.consume(GROUP, TOPIC, ON_FILE))]
    await until('the progress to be on file', () => progressOn(progressFile) === ON_FILE)
    consumed.push(...(await first.consume(GROUP, TOPIC, SENDS - ON_FILE)))
    progressCut.arm()
    await first.exit

    const topicsCut = new FailingSync(system.directory, 'cut', '/config/topics.json')
    const second = await system.startMaster({ environment: topicsCut.environment })
    const [whole, torn] = LATER_TOPICS
    await note(second, whole, 1)
    await until('the new topic to be on file', () => namesOnFile(system.masterStore).includes(whole))
    topicsCut.arm()
    await note(second, torn, 1)
    await second.exit

    const third = await system.startMaster()
    const next = new Set(await third.next(GROUP, TOPIC))
    const again = consumed.filter((body) => next.has(body)).length
    const gone: string[] = []
    for (const [topic, bodies] of acknowledged) {
      const readable = new Set(await bodiesOf(third, topic))
      gone.push(...bodies.filter((body) => !readable.has(body)))
    }
    return {
      words: `${again} of ${consumed.length} consumed messages came again; ${gone.length} of ${[...acknowledged.values()].flat().length} acknowledged messages cannot be read`,
      holds: consumed.length === SENDS && again === 0 && gone.length === 0,
      figures: { consumed: consumed.length, again, gone: gone.length },
    }
  },
}

/** The one queue's progress, in the form of the file that both write. */
function progressOn(file: string): number | undefined {
  const [, offset] = /@state-files"\s*:\s*\{\s*"?0"?\s*:\s*(\d+)/.exec(readFileSync(file, 'utf8')) ?? []
  return offset === undefined ? undefined : Number(offset)
}

function namesOnFile(store: string): string {
  const file = join(store, 'config', 'topics.json')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** None, if the broker says that there is no such topic. */
async function bodiesOf(broker: Broker, topic: string): Promise<readonly string[]> {
  try {
    return (await broker.read(topic)).map(({ body }) => body)
  } catch {
    return []
  }
}
