import { closeSync, openSync, readSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { Samples, costOf, inTurns, rounded } from './measure.ts'
import { messagesOf } from './messages.ts'
import type { BenchPlan } from './plan.ts'
import { BenchDirectory, openMaster, openStore } from './store-stand.ts'

const BODY_BYTES = 1024
const GIB = 1024 ** 3
/** Half a GiB of log. */
const MESSAGES = 440_000
const SEGMENT_BYTES = 256 * 1024 * 1024
const WINDOW_BYTES = 1024 * 1024
/** Records' bytes before their bodies. */
const BODY_AT = 88

/** Seconds of the wall clock and of processor time for each GiB of log. */
class PerGib {
  readonly wall = new Samples()
  readonly cpu = new Samples()

  async add(gib: number, isCounted: boolean, work: () => Promise<void> | void): Promise<void> {
    const { wallUs, cpuUs } = await costOf(work)
    if (!isCounted) return
    this.wall.add(wallUs / 1e6 / gib)
    this.cpu.add(cpuUs / 1e6 / gib)
  }
}

/**
 * A start that has to read the whole log, as one does where nothing says how far it is sound: every record is checked; first with consume queues
 * and index as they were, then without both, which are built again. The floor reads the same bytes and checksums every body.
 */
export async function recoveryCosts(plan: BenchPlan): Promise<Record<string, unknown>> {
  await using directory = await BenchDirectory.make(plan.directory)
  const root = directory.path
  const recordBytes = await writeLog(root, plan.scaled(MESSAGES))
  const kept = new PerGib()
  const rebuilt = new PerGib()
  const floor = new PerGib()
  const gib = (plan.scaled(MESSAGES) * recordBytes) / GIB
  const recover = async (): Promise<void> => {
    const store = await openStore(root, { segmentBytes: SEGMENT_BYTES })
    await store.close()
  }
  await inTurns(plan.rounds, 1, [
    (isCounted) => floor.add(gib, isCounted, () => readBare(root, recordBytes)),
    async (isCounted) => {
      forgetEnd(root)
      await kept.add(gib, isCounted, recover)
    },
    async (isCounted) => {
      forgetEnd(root)
      for (const name of ['consumequeue', 'index']) rmSync(join(root, name), { recursive: true })
      await rebuilt.add(gib, isCounted, recover)
    },
  ])
  return {
    logGib: rounded(gib),
    secondsPerGib: kept.wall.median,
    secondsPerGibRange: kept.wall.range,
    floorSecondsPerGib: floor.wall.median,
    cpuSecondsPerGib: kept.cpu.median,
    floorCpuSecondsPerGib: floor.cpu.median,
    cpuToFloor: rounded(kept.cpu.median / floor.cpu.median),
    rebuildingSecondsPerGib: rebuilt.wall.median,
    rebuildingSecondsPerGibRange: rebuilt.wall.range,
    rebuildingCpuSecondsPerGib: rebuilt.cpu.median,
    rebuildingCpuToFloor: rounded(rebuilt.cpu.median / floor.cpu.median),
  }
}

async function writeLog(root: string, count: number): Promise<number> {
  await using store = await openMaster(root, { segmentBytes: SEGMENT_BYTES })
  const make = messagesOf(BODY_BYTES)
  const { size } = store.append(make(0))
  for (let n = 1; n < count; n += 1) {
    store.append(make(n))
    if (n % 64 === 0) await store.dispatched.reached(store.end)
  }
  await store.dispatched.reached(store.end)
  return size
}

/** What is left when a store of Apache's was killed that never wrote a checkpoint: the log itself has to say where it ends. */
function forgetEnd(root: string): void {
  const ours = ['position', 'epochOpeners', 'epochFileCheckpoint', 'queueEnds', 'indexFiles']
  for (const name of [...ours.flatMap((file) => [file, `${file}.bak`]), 'checkpoint'])
    rmSync(join(root, name), { force: true })
  closeSync(openSync(join(root, 'abort'), 'w'))
}

function readBare(root: string, recordBytes: number): void {
  const window = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  let sum = 0
  for (const name of readdirSync(join(root, 'commitlog')).toSorted()) {
    const descriptor = openSync(join(root, 'commitlog', name), 'r')
    const records = Math.floor(WINDOW_BYTES / recordBytes)
    const whole = records * recordBytes
    for (let position = 0; ; position += whole) {
      const count = readSync(descriptor, window, 0, whole, position)
      for (let at = BODY_AT; at + BODY_BYTES <= count; at += recordBytes)
        sum ^= crc32(window.subarray(at, at + BODY_BYTES))
      if (count < whole || window.readInt32BE(0) === 0) break
    }
    closeSync(descriptor)
  }
  if (sum === 1) throw new Error('unlikely')
}
