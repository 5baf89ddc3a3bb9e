import { held } from '../copied.ts'
import { FailingSync } from '../failing-sync.ts'
import { eraseLog } from '../log-damage.ts'
import { soundRecords } from '../../log-file-records.ts'
import type { Scenario } from '../scenario.ts'
import { refusedFor, trySends } from '../tries.ts'

const TOPIC = 'SyncError'
const BEFORE = 5
const AFTER = 10
/** Whole pages of the message whose sync fails: the kernel forgets that they were to be written. */
const PAGE_BYTES = 4_096
const LARGE_BYTES = 16 * PAGE_BYTES
const KEYS = { flushDiskType: 'SYNC_FLUSH', syncFlushTimeout: 2_000 }

export const syncError: Scenario = {
  name: 'sync-error',
  done: `SYNC_FLUSH; the sync of the commit log fails once with EIO under a message of 64 KiB, ${AFTER} more sends, SIGKILL; what that sync had to write is zeros on the disk, as Linux leaves it; start`,
  asked: 'every message that was OK is there',
  async observe(system) {
    const fault = new FailingSync(system.directory, 'error', '/commitlog/')
    const master = await system.startMaster({ keys: KEYS, environment: fault.environment })
    const before = await trySends(master, TOPIC, 'before', BEFORE)
    fault.arm()
    const under = await trySends(master, TOPIC, 'under', 1, LARGE_BYTES)
    await fault.happened()
    const after = await trySends(master, TOPIC, 'after', AFTER)
    await master.kill()
    forgetPages(system.masterStore)
    const again = await system.startMaster({ keys: KEYS })
    await again.stop()
    const kept = held(system.masterStore)
    const acknowledged = [before, under, after].flatMap((tries) => tries.acknowledged)
    const lost = acknowledged.filter((body) => !kept.has(body)).length
    return {
      words: `${under.acknowledged.length + after.acknowledged.length} of ${1 + AFTER} sends from the failed sync on were OK${refusedFor({ ...after, refusals: [...new Set([...under.refusals, ...after.refusals])] })}; after the start ${lost} of ${acknowledged.length} acknowledged messages are lost`,
      holds: before.acknowledged.length === BEFORE && lost === 0,
      figures: {
        acknowledgedBefore: before.acknowledged.length,
        acknowledgedFromFailureOn: under.acknowledged.length + after.acknowledged.length,
        lost,
      },
    }
  },
}

/** After a failed sync the kernel takes the pages for clean: only those that later writes touch again are ever written. */
function forgetPages(store: string): void {
  const large = soundRecords(store).find(({ size }) => size > LARGE_BYTES)
  if (large === undefined) return
  const from = Math.ceil(large.physicalOffset / PAGE_BYTES) * PAGE_BYTES
  const to = Math.floor((large.physicalOffset + large.size) / PAGE_BYTES) * PAGE_BYTES
  eraseLog(store, from, to)
}
