import { copied, following, held } from '../copied.ts'
import type { Scenario } from '../scenario.ts'
import { refusedFor, trySends } from '../tries.ts'

const TOPIC = 'SlaveStopped'
const SENDS = 20

/** The configuration that Apache ships in `conf/2m-2s-sync`, as far as it is about replication. */
const SHIPPED_SYNC = { brokerRole: 'SYNC_MASTER', flushDiskType: 'ASYNC_FLUSH' }

export const slaveStopped: Scenario = {
  name: 'slave-stopped',
  done: 'brokerRole=SYNC_MASTER, flushDiskType=ASYNC_FLUSH and nothing else, as in conf/2m-2s-sync; the slave is stopped, 20 sends',
  asked: 'no OK for a message that only the master holds',
  async observe(system) {
    const master = await system.startMaster({ keys: SHIPPED_SYNC })
    const slave = await system.startSlave(master)
    await following(system, master, TOPIC)
    const together = await trySends(master, TOPIC, 'together', SENDS)
    await copied(system)
    await slave.stop()
    const alone = await trySends(master, TOPIC, 'alone', SENDS)
    const copies = held(system.slaveStore)
    const oneCopy = [...together.acknowledged, ...alone.acknowledged].filter((body) => !copies.has(body))
    return {
      words: `${alone.acknowledged.length} of ${SENDS} sends were OK${refusedFor(alone)}; ${oneCopy.length} acknowledged messages have one copy`,
      holds: together.acknowledged.length === SENDS && oneCopy.length === 0,
      figures: {
        acknowledgedWithSlave: together.acknowledged.length,
        acknowledgedWithoutSlave: alone.acknowledged.length,
        acknowledgedWithOneCopy: oneCopy.length,
      },
    }
  },
}
