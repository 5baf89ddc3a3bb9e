import { once } from 'node:events'
import { until } from '@tandemmq/interop'
import { copied, following } from '../copied.ts'
import { flipLog } from '../log-damage.ts'
import { soundRecords } from '../../log-file-records.ts'
import type { Scenario } from '../scenario.ts'
import { trySends } from '../tries.ts'

const TOPIC = 'FlippedCopy'
const SENDS = 10
/** So that the flip is far from the end of the log. */
const BODY_BYTES = 20_000
const PATIENCE_MS = 25_000

export const flippedCopy: Scenario = {
  name: 'flipped-copy',
  done: `shipped settings, ${SENDS} messages on master and slave; both are stopped, one bit in the properties of the first flips on the slave's disk, both start; ${PATIENCE_MS / 1_000} s`,
  asked: 'somebody says that the copies differ',
  async observe(system) {
    const first = await system.startMaster()
    const firstSlave = await system.startSlave(first)
    await following(system, first, TOPIC)
    await trySends(first, TOPIC, 'copied', SENDS, BODY_BYTES)
    await copied(system)
    await firstSlave.stop()
    await first.stop()
    const flipped = lastByteOfFirst(system.slaveStore)
    flipLog(system.slaveStore, flipped)

    const master = await system.startMaster()
    const slave = await system.startSlave(master)
    const startedAt = performance.now()
    const said = (): string | undefined =>
      [...master.complaints(), ...slave.complaints()].find((line) => /differ/i.test(line))
    const patience = once(AbortSignal.timeout(PATIENCE_MS), 'abort').then(() => undefined)
    const line = await Promise.race([until('a word about it', said).catch(() => undefined), patience])
    const seconds = Math.round((performance.now() - startedAt) / 1_000)
    return {
      words:
        line === undefined
          ? `nobody has noticed anything after ${seconds} s`
          : `noticed after ${seconds} s: ${sentenceOf(line)}`,
      holds: line !== undefined,
      figures: { noticed: line === undefined ? 0 : 1, seconds },
    }
  },
}

/** A byte of its properties. */
function lastByteOfFirst(store: string): number {
  const record = soundRecords(store).find(({ body }) => body.toString().startsWith('copied-1'))
  if (record === undefined) throw new Error('the slave has not got the first message')
  return record.physicalOffset + record.size - 1
}

function sentenceOf(line: string): string {
  if (!line.startsWith('{')) return line
  const { msg = line }: { readonly msg?: string } = JSON.parse(line)
  return msg
}
