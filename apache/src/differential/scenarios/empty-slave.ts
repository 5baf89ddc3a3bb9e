import { until } from '@tandemmq/interop'
import { held } from '../copied.ts'
import { readLogFiles } from '../../log-file-records.ts'
import type { Scenario } from '../scenario.ts'
import { trySends } from '../tries.ts'

const SENDS = 120
/** So that they fill two files of 1 MiB and begin a third. */
const BODY_BYTES = 20_000

export const emptySlave: Scenario = {
  name: 'empty-slave',
  done: `the master has ${SENDS} messages in three files of its log; a slave with an empty disk joins`,
  asked: 'the slave gets all of them',
  async observe(system) {
    const master = await system.startMaster()
    const { acknowledged } = await trySends(master, 'EmptySlave', 'history', SENDS, BODY_BYTES)
    await system.startSlave(master)
    const last = acknowledged.at(-1) ?? ''
    const copies = await until('the slave to hold the last message', () => {
      const bodies = held(system.slaveStore)
      return bodies.has(last) && bodies
    })
    const missing = acknowledged.filter((body) => !copies.has(body)).length
    const { begin } = readLogFiles(system.slaveStore)
    return {
      words: `the slave has ${SENDS - missing} of ${acknowledged.length} messages, its log begins at ${begin}; ${missing} are on the master alone`,
      holds: acknowledged.length === SENDS && missing === 0,
      figures: { sent: acknowledged.length, missing, begin },
    }
  },
}
