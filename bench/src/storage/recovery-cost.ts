import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { decodeChecked, encodeChecked } from '@tandemmq/codec'
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
 * Starts that have to read the whole log and check every record, after a kill on a machine that stayed up: with consume queues and index that were synced,
 * as what is read before the checkpoint has them (its distance is made as long as the log); with queues that are on file, and an index of which nothing
 * was synced, as what lies behind the checkpoint; and with neither, as where Apache was killed and never wrote a checkpoint. Stopping again is counted too.
 * The floor reads the same bytes and checksums every body.
 */
export async function recoveryCosts(plan: BenchPlan): Promise<Record<string, unknown>> {
  await using directory = await BenchDirectory.make(plan.directory)
  const root = join(directory.path, 'store')
  const nothingSynced = join(directory.path, 'nothing-synced')
  const wholeRead = join(directory.path, 'whole-read')
  const { recordBytes, end } = await writeLog(root, plan.scaled(MESSAGES), nothingSynced)
  keepState(root, wholeRead)
  beginAtStart(join(wholeRead, 'position'))
  const index = join(root, 'index')
  const indexNames = String(readdirSync(index))
  // An index that is built again has another name.
  const wholeIndex = join(directory.path, 'whole-index')
  renameSync(index, wholeIndex)
  const kept = new PerGib()
  const indexing = new PerGib()
  const rebuilt = new PerGib()
  const floor = new PerGib()
  const gib = end / GIB
  const recover = async (): Promise<void> => {
    const store = await openStore(root, { segmentBytes: SEGMENT_BYTES })
    if (store.end !== end || store.recovery.cleanStop) throw new Error('the whole log was to be recovered')
    await store.close()
  }
  await inTurns(plan.rounds, 1, [
    (isCounted) => floor.add(gib, isCounted, () => readBare(root, recordBytes)),
    async (isCounted) => {
      rmSync(index, { recursive: true, force: true })
      renameSync(wholeIndex, index)
      killedIn(wholeRead, root)
      await kept.add(gib, isCounted, recover)
      if (String(readdirSync(index)) !== indexNames) throw new Error('the index was to be kept')
      renameSync(index, wholeIndex)
    },
    async (isCounted) => {
      killedIn(nothingSynced, root)
      await indexing.add(gib, isCounted, recover)
    },
    async (isCounted) => {
      forgetEnd(root)
      for (const name of ['consumequeue', 'index']) rmSync(join(root, name), { recursive: true, force: true })
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
    indexingSecondsPerGib: indexing.wall.median,
    indexingCpuSecondsPerGib: indexing.cpu.median,
    indexingCpuToFloor: rounded(indexing.cpu.median / floor.cpu.median),
    rebuildingSecondsPerGib: rebuilt.wall.median,
    rebuildingSecondsPerGibRange: rebuilt.wall.range,
    rebuildingCpuSecondsPerGib: rebuilt.cpu.median,
    rebuildingCpuToFloor: rounded(rebuilt.cpu.median / floor.cpu.median),
  }
}

async function writeLog(
  root: string,
  count: number,
  stateBefore: string,
): Promise<{ readonly recordBytes: number; readonly end: number }> {
  await using store = await openMaster(root, { segmentBytes: SEGMENT_BYTES })
  keepState(root, stateBefore)
  const make = messagesOf(BODY_BYTES)
  const { size } = store.append(make(0))
  for (let n = 1; n < count; n += 1) {
    store.append(make(n))
    if (n % 64 === 0) await store.dispatched.reached(store.end)
  }
  await store.dispatched.reached(store.end)
  return { recordBytes: size, end: store.end }
}

/** Makes of a position file after a clean stop that of a process which is running, and whose log is to be read from its begin on. */
function beginAtStart(path: string): void {
  const content = readFileSync(path)
  const [title = ''] = content.toString().split('\n')
  const { cleanEnd, ...running } = Object(decodeChecked(title, content))
  if (cleanEnd === undefined) throw new Error('the stop before was to be clean')
  writeFileSync(path, encodeChecked(title, { ...running, scanFrom: 0 }))
}

/** What a store says of itself beside log, queues and index. */
const STATE_FILES = [
  ...['position', 'epochOpeners', 'epochFileCheckpoint', 'queueEnds', 'indexFiles'].flatMap((file) => [
    file,
    `${file}.bak`,
  ]),
  'checkpoint',
]

function keepState(root: string, state: string): void {
  mkdirSync(state)
  for (const name of STATE_FILES) {
    if (existsSync(join(root, name))) copyFileSync(join(root, name), join(state, name))
  }
}

/** The store as a kill leaves it that comes while its state files are those in `state`. */
function killedIn(state: string, root: string): void {
  forgetEnd(root)
  for (const name of readdirSync(state)) copyFileSync(join(state, name), join(root, name))
}

/** What is left when a store of Apache's was killed that never wrote a checkpoint: the log itself has to say where it ends. */
function forgetEnd(root: string): void {
  for (const name of STATE_FILES) rmSync(join(root, name), { force: true })
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
