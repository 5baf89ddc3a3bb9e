import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inTurns, rounded, Samples } from '../storage/measure.ts'
import { copyFloor } from './floors.ts'
import { Member } from './member.ts'

const IN_FLIGHT = 64
const MESSAGES = 800_000
const ROUNDS = 5
const WARM_UPS = 1

/** An empty slave of a master that has a long log: until it holds all of it, and until consumers could find all of it. */
export async function catchingUp(directory: string, bodyBytes: number): Promise<Record<string, unknown>> {
  const root = (name: string): string => join(directory, 'catch-up', name)
  const asked = { replication: 'async', haPort: 0 } as const
  await using opened = new AsyncDisposableStack()
  const { member: master, haPort } = await Member.start({ ...asked, role: 'master', root: root('master') })
  opened.use(master)
  const { end } = await master.send({ count: MESSAGES, inFlight: IN_FLIGHT, bodyBytes })
  await master.reach(end)
  const [written, searchable, floor] = [new Samples(), new Samples(), new Samples()]
  const mebibytes = end / 1024 ** 2
  let attempt = 0
  await inTurns(ROUNDS, WARM_UPS, [
    async (isCounted) => {
      attempt += 1
      const name = root(`slave-${attempt}`)
      const slave = await Member.start({ ...asked, role: 'slave', root: name, haPort })
      const { writtenMs, dispatchedMs } = await slave.member.reach(end)
      await slave.member[Symbol.asyncDispose]()
      await rm(name, { recursive: true, force: true })
      if (!isCounted) return
      written.add((mebibytes * 1_000) / writtenMs)
      searchable.add((mebibytes * 1_000) / dispatchedMs)
    },
    async (isCounted) => {
      const rate = await copyFloor(join(root('master'), 'commitlog'), end, join(directory, 'copy'))
      if (isCounted) floor.add(rate)
    },
  ])
  return {
    mebibytes: rounded(mebibytes),
    mebibytesPerSecond: written.median,
    mebibytesPerSecondRange: written.range,
    searchableMebibytesPerSecond: searchable.median,
    floorMebibytesPerSecond: floor.median,
    floorMebibytesPerSecondRange: floor.range,
    percentOfFloor: rounded((100 * written.median) / floor.median),
    percentOfFloorGoal: 60,
    searchablePercentOfFloor: rounded((100 * searchable.median) / floor.median),
    searchablePercentOfFloorGoal: 30,
  }
}
