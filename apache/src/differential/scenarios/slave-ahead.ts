import { once } from 'node:events'
import { until } from '@tandemmq/interop'
import { copied, firstDifference, following, held } from '../copied.ts'
import { cutLog } from '../log-damage.ts'
import type { Scenario } from '../scenario.ts'
import type { Broker } from '../system.ts'
import { refusedFor, trySends } from '../tries.ts'

const TOPIC = 'SlaveAhead'
const BEFORE = 30
const LOST = 10
const AFTER = 30
/** What is on its way to the slave after the last send. */
const ARRIVES_WITHIN_MS = 3_000
const KEYS = { brokerRole: 'SYNC_MASTER', inSyncReplicas: 2, totalReplicas: 2, slaveTimeout: 1_000 }

export const slaveAhead: Scenario = {
  name: 'slave-ahead',
  done: `SYNC_MASTER with inSyncReplicas=2: ${BEFORE} sends; both are stopped, the master's disk loses the last ${LOST} messages, both start; ${AFTER} sends`,
  asked: 'nothing acknowledged is lost on either, and the logs are one',
  async observe(system) {
    const first = await system.startMaster({ keys: KEYS })
    const firstSlave = await system.startSlave(first)
    await following(system, first, TOPIC)
    const before = await trySends(first, TOPIC, 'before', BEFORE)
    await copied(system)
    await firstSlave.stop()
    await first.stop()
    cutLog(system.masterStore, LOST)

    const master = await system.startMaster({ keys: KEYS })
    await system.startSlave(master)
    await takesMessages(master)
    const after = await trySends(master, TOPIC, 'after', AFTER)
    await once(AbortSignal.timeout(ARRIVES_WITHIN_MS), 'abort')
    const [onMaster, onSlave] = [held(system.masterStore), held(system.slaveStore)]
    const lost = before.acknowledged.filter((body) => !onMaster.has(body)).length
    const uncopied = after.acknowledged.filter((body) => !onSlave.has(body)).length
    const difference = firstDifference(system)
    const logs = difference === undefined ? 'the logs are one' : `the logs differ from byte ${difference} on`
    return {
      words: `${lost} of ${before.acknowledged.length} acknowledged messages are lost on the master; then ${after.acknowledged.length} of ${AFTER} sends were OK${refusedFor(after)}, ${uncopied} of them not on the slave; ${logs}`,
      holds: before.acknowledged.length === BEFORE && lost + uncopied === 0 && difference === undefined,
      figures: {
        acknowledgedBefore: before.acknowledged.length,
        lost,
        acknowledgedAfter: after.acknowledged.length,
        uncopied,
        differ: difference === undefined ? 0 : 1,
      },
    }
  },
}

async function takesMessages(master: Broker): Promise<void> {
  await until('the master to take messages', async () => {
    await master.send(TOPIC, { body: 'is it back' })
    return true
  })
}
