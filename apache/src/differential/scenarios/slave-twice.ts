import { once } from 'node:events'
import { DoublingRelay } from '../doubling-relay.ts'
import type { Scenario } from '../scenario.ts'
import { refusedFor, trySends } from '../tries.ts'

const SENDS = 5
/** Until they are used to each other. */
const SETTLE_MS = 5_000
const KEYS = { brokerRole: 'SYNC_MASTER', inSyncReplicas: 3, totalReplicas: 3, slaveTimeout: 2_000 }

export const slaveTwice: Scenario = {
  name: 'slave-twice',
  done: `SYNC_MASTER with inSyncReplicas=3 and one slave, whose every word reaches the master on two connections; ${SENDS} sends`,
  asked: 'no OK: there are two copies, not three',
  async observe(system) {
    const master = await system.startMaster({ keys: KEYS })
    await using relay = await DoublingRelay.start(master.haAddress)
    await system.startSlave(master, { masterAt: relay.address })
    await relay.doubled
    await once(AbortSignal.timeout(SETTLE_MS), 'abort')
    const tries = await trySends(master, 'SlaveTwice', 'twice', SENDS)
    const { hungUp } = relay
    const fate = hungUp > 0 ? `; the master hung up ${hungUp} times` : ''
    return {
      words: `${tries.acknowledged.length} of ${SENDS} sends were OK${refusedFor(tries)}${fate}`,
      holds: tries.acknowledged.length === 0,
      figures: { acknowledged: tries.acknowledged.length, hungUp },
    }
  },
}
