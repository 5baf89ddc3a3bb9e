import { once } from 'node:events'
import type { Scenario } from '../scenario.ts'
import { trySends } from '../tries.ts'

const TOPIC = 'Progress'
const GROUP = 'progress'
const SENDS = 60
const CONSUMED = 40
const PAUSE_MS = 30_000

export const progressAtFailover: Scenario = {
  name: 'progress-at-failover',
  done: `${SENDS} messages, a group consumes ${CONSUMED} of them; ${PAUSE_MS / 1_000} s later the master is killed, and the group goes on with what the slave knows`,
  asked: 'what was consumed long before does not come again, the rest comes',
  async observe(system) {
    const pair = await system.startPair(TOPIC, GROUP)
    const { acknowledged } = await trySends(pair, TOPIC, 'message', SENDS)
    const consumed = new Set(await pair.consume(GROUP, TOPIC, CONSUMED))
    await once(AbortSignal.timeout(PAUSE_MS), 'abort')
    await pair.killMaster()
    const next = new Set(await pair.next(GROUP, TOPIC))
    const again = [...consumed].filter((body) => next.has(body)).length
    const missing = acknowledged.filter((body) => !consumed.has(body) && !next.has(body)).length
    return {
      words: `${again} of ${consumed.size} consumed messages came again, ${missing} of the others are missing`,
      holds: acknowledged.length === SENDS && consumed.size === CONSUMED && again === 0 && missing === 0,
      figures: { sent: acknowledged.length, consumed: consumed.size, again, missing },
    }
  },
}
