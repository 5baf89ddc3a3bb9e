import { until } from '@tandemmq/interop'
import { readLogFiles, soundRecords } from '../log-file-records.ts'
import type { Broker, System } from './system.ts'

/** The bodies of all records in the files of a store, up to the first place that holds none: what a broker that begins with them has. */
export function held(store: string): ReadonlySet<string> {
  return new Set(soundRecords(store).map(({ body }) => body.toString().trimEnd()))
}

/** Resolves when the slave's files hold the last record that the master's hold now. */
export async function copied({ masterStore, slaveStore }: System): Promise<void> {
  const end = soundRecords(masterStore).at(-1)?.physicalOffset ?? -1
  await until('the slave to have copied the log', () => {
    const last = soundRecords(slaveStore).at(-1)?.physicalOffset ?? -1
    return last >= end
  })
}

/** Resolves once the master takes messages and its slave has got one. */
export async function following(system: System, master: Broker, topic: string): Promise<void> {
  await until('the master to take a message', async () => {
    await master.send(topic, { body: 'is anybody there' })
    return true
  })
  await copied(system)
}

/** The first offset up to the end of the master's records at which the two logs have different bytes; undefined: none. */
export function firstDifference({ masterStore, slaveStore }: System): number | undefined {
  const last = soundRecords(masterStore).at(-1)
  const end = last === undefined ? 0 : last.physicalOffset + last.size
  const [master, slave] = [readLogFiles(masterStore), readLogFiles(slaveStore)]
  for (let offset = slave.begin; offset < end; offset += 1) {
    if (master.bytes[offset - master.begin] !== slave.bytes[offset - slave.begin]) return offset
  }
  return undefined
}
