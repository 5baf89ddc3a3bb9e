import { HaStranger } from '../ha-stranger.ts'
import type { Scenario } from '../scenario.ts'
import { refusedFor, trySends } from '../tries.ts'

const SENDS = 5
/** A position that no log of this run reaches. */
const FAR = 2 ** 40
const KEYS = { brokerRole: 'SYNC_MASTER', inSyncReplicas: 2, totalReplicas: 2, slaveTimeout: 1_000 }

export const forgedAck: Scenario = {
  name: 'forged-ack',
  done: 'SYNC_MASTER with inSyncReplicas=2 and no slave; somebody connects to the HA port and sends 8 bytes, a far position; 5 sends',
  asked: 'no OK: nobody else holds anything',
  async observe(system) {
    const master = await system.startMaster({ keys: KEYS })
    await using stranger = await HaStranger.connect(master.haAddress)
    stranger.report(FAR)
    const isClosed = await stranger.closedWithin(1_000)
    const { acknowledged, ...tries } = await trySends(master, 'ForgedAck', 'forged', SENDS)
    const fate = isClosed ? 'the connection was closed' : 'the connection stays open'
    return {
      words: `${acknowledged.length} of ${SENDS} sends were OK${refusedFor({ acknowledged, ...tries })}; ${fate}`,
      holds: acknowledged.length === 0,
      figures: { acknowledged: acknowledged.length, closed: isClosed ? 1 : 0 },
    }
  },
}
