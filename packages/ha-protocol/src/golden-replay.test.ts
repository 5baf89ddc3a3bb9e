import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { silentMeter } from '@tandemmq/base'
import { DownwardReader } from '@tandemmq/codec'
import { RecordingLogger, SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { HaMaster } from './ha-master.ts'
import { HaSlave } from './ha-slave.ts'
import { MemoryLog, lineageOf } from './testing/memory-log.ts'
import { Wire } from './testing/wire.ts'

/**
 * Captures between a genuine Apache RocketMQ 5.5.0 master and slave, played to us in either role. Their clock ran
 * unevenly, so orders are kept and waits are made as long as the protocol says.
 */
const cases = ['fresh-one-segment', 'reconnect', 'fresh-last-segment-only', 'sync', 'sync-2'] as const
type Case = (typeof cases)[number]

const directory = new URL('../../../test/golden/ha/', import.meta.url)
const SEGMENT_BYTES = 65536
const APACHE_FRAME_BYTES = 32768

interface Capture {
  readonly up: Buffer
  readonly down: Buffer
  /** In order: bytes from the slave, or from the master. */
  readonly chunks: readonly { readonly direction: 'up' | 'down'; readonly length: number }[]
  readonly files: Readonly<Record<string, string>>
}

function capture(name: Case): Capture {
  const read = (suffix: string): Buffer => readFileSync(new URL(`${name}.${suffix}`, directory))
  const described: {
    chunks: Capture['chunks']
    commitlogAfterCase: { slave: Record<string, string> }
  } = JSON.parse(read('json').toString())
  return {
    up: read('up.bin'),
    down: read('down.bin'),
    chunks: described.chunks,
    files: described.commitlogAfterCase.slave,
  }
}

/** The log that all cases are about: what their bodies carry, at its offsets. */
const wholeLog = Buffer.alloc(3 * SEGMENT_BYTES)
let logEnd = 0
for (const name of cases) {
  const reader = new DownwardReader()
  reader.feed(capture(name).down)
  for (let unit = reader.next(); unit !== undefined; unit = reader.next()) {
    if (unit.kind !== 'piece') continue
    unit.bytes.copy(wholeLog, unit.offset)
    logEnd = Math.max(logEnd, unit.offset + unit.bytes.length)
  }
}

/** Where both logs stand when a case starts. */
const starts: Readonly<Record<Case, { readonly master: number; readonly slave: readonly [number, number] }>> =
  {
    'fresh-one-segment': { master: 11222, slave: [0, 0] },
    reconnect: { master: 138016, slave: [0, 13897] },
    'fresh-last-segment-only': { master: 138016, slave: [0, 0] },
    sync: { master: 138016, slave: [131072, 138016] },
    'sync-2': { master: 142161, slave: [131072, 141826] },
  }

function ports(net: Wire, clock: SimulatedClock) {
  const logger = new RecordingLogger()
  return { net, clock, random: new SeededRandom(1), logger, meter: silentMeter }
}

async function playAsMaster(name: Case, legacySlaves: 'served' | 'counted' = 'served'): Promise<Buffer> {
  const golden = capture(name)
  const clock = new SimulatedClock()
  const wire = new Wire()
  const world = ports(wire, clock)
  const log = new MemoryLog(clock, { segmentBytes: SEGMENT_BYTES, lineage: lineageOf({ 1: 0 }) })
  log.write(wholeLog.subarray(0, starts[name].master))
  const master = await HaMaster.listen(
    {
      address: { host: 'm', port: 1 },
      cluster: 'c',
      set: 's',
      identity: 'm',
      instanceId: 'm',
      flushRequired: false,
      inSyncReplicas: 2,
      legacySlaves,
      writeLimits: { frameBytesMax: APACHE_FRAME_BYTES },
    },
    world,
    log,
  )
  wire.call()
  let [up, down] = [0, 0]
  for (const { direction, length } of golden.chunks) {
    if (direction === 'up') {
      wire.feed(golden.up.subarray(up, up + length))
      up += length
      await clock.advance(1)
      continue
    }
    // A 12-byte chunk is the header of a frame: of fresh bytes, or of a heartbeat that is due by now.
    const isHeader = down + 12 <= golden.down.length && length === 12
    if (isHeader && wire.written.length <= down) {
      const at = Number(golden.down.readBigInt64BE(down))
      const size = golden.down.readInt32BE(down + 8)
      if (size > 0) log.write(wholeLog.subarray(at, at + size))
      else await clock.advance(5_000)
      await clock.settle()
    }
    down += length
  }
  expect(world.logger.messages('warn')).toEqual([])
  expect(wire.isClosed).toBe(false)
  const reported = Number(golden.up.readBigInt64BE(golden.up.length - 8))
  expect(master.replicated.at).toBe(legacySlaves === 'counted' ? reported : 0)
  expect(master.replicas()).toMatchObject([{ counted: legacySlaves === 'counted', received: reported }])
  return wire.written
}

for (const name of cases) {
  if (name === 'fresh-last-segment-only') continue
  test(`as master we send what Apache's master sent: ${name}`, async () => {
    const sent = await playAsMaster(name)
    expect(sent.equals(capture(name).down), `${sent.length} of ${capture(name).down.length} bytes`).toBe(true)
  })
}

test('as master we count what a slave of Apache reports, where that is configured (rule 2.6)', async () => {
  await playAsMaster('sync', 'counted')
  await playAsMaster('fresh-one-segment', 'counted')
})

test('as master we give an empty Apache slave everything, where Apache starts at its last segment', async () => {
  const sent = await playAsMaster('fresh-last-segment-only')
  const golden = capture('fresh-last-segment-only').down
  expect(sent.readBigInt64BE(0)).toBe(0n)
  const from = sent.indexOf(golden.subarray(0, 12 + 6944))
  expect(from).toBe(131072 + 4 * 12)
})

function reports(bytes: Buffer): string[] {
  return bytes.toString('hex').match(/.{16}/g) ?? []
}

async function playAsSlave(name: Case): Promise<{ wire: Wire; log: MemoryLog }> {
  const golden = capture(name)
  const clock = new SimulatedClock()
  const wire = new Wire()
  const [from, to] = starts[name].slave
  const log = new MemoryLog(clock, { segmentBytes: SEGMENT_BYTES, begin: from })
  log.write(wholeLog.subarray(from, to))
  HaSlave.start(
    {
      masterAddress: { host: 'm', port: 1 },
      cluster: 'c',
      set: 's',
      identity: 's',
      instanceId: 's',
      peer: 'apache',
      // Apache's slave asks for nothing that it has.
      overlapBytes: 0,
    },
    ports(wire, clock),
    log,
  )
  await clock.settle()
  let [up, down] = [0, 0]
  for (const { direction, length } of golden.chunks) {
    if (direction === 'down') {
      wire.feed(golden.down.subarray(down, down + length))
      down += length
      await clock.advance(1)
      continue
    }
    // A report that no bytes explain is Apache's idle report.
    if (wire.written.length <= up) await clock.advance(5_000)
    up += length
  }
  return { wire, log }
}

for (const name of cases) {
  test(`as slave we report what Apache's slave reported, and hold the same files: ${name}`, async () => {
    const { wire, log } = await playAsSlave(name)
    expect(reports(wire.written)).toEqual(reports(capture(name).up))
    expect(wire.isClosed).toBe(false)
    expect(log.bytes.equals(wholeLog.subarray(log.minOffset, log.end))).toBe(true)
    // `sync` was followed by `sync-2` before the files were read.
    if (name === 'sync') return
    for (const [file, digest] of Object.entries(capture(name).files)) {
      const at = Number(file)
      if (at < log.minOffset || at >= log.end) continue
      const segment = Buffer.alloc(SEGMENT_BYTES)
      log.bytes.copy(segment, 0, at - log.minOffset, at - log.minOffset + SEGMENT_BYTES)
      expect(createHash('sha256').update(segment).digest('hex'), file).toBe(digest)
    }
  })
}
