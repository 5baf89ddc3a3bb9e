import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { LogWindows } from './log-windows.ts'
import { SegmentReader } from './segment-reader.ts'
import { StoreBench, bodies, logBytes, message } from './store-bench.test-kit.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** Three segments of 3 MiB, whose bytes tell where they lie. */
function threeSegments() {
  const clock = new SimulatedClock()
  const files = new SimulatedFiles({ clock, random: new SeededRandom(1) })
  const mounted = files.mount()
  mounted.makeDirectory('/log')
  const bytes = Buffer.alloc(9 * MIB)
  for (let at = 0; at < bytes.length; at += 4) bytes.writeInt32BE(at, at)
  for (const start of [0, 3 * MIB, 6 * MIB]) {
    const file = mounted.open(`/log/${String(start).padStart(20, '0')}`, 'create')
    file.write(bytes.subarray(start, start + 3 * MIB), 0)
    file.close()
  }
  const reader = SegmentReader.open(mounted, '/log', { recordBytesMax: 4 * MIB, segmentBytes: 3 * MIB })
  return { clock, files, reader, bytes }
}

test('windows follow each other, whatever is left over of each, and end with their segment', async () => {
  const { clock, reader, bytes } = threeSegments()
  const windows = new LogWindows(reader, 16)
  let offset = 16
  let window = await clock.outcome(windows.next(offset, Buffer.alloc(0)))
  for (const rest of [0, 5, 60 * KIB, 64 * KIB + 1, MIB, 1.5 * MIB, 3]) {
    expect(window.equals(bytes.subarray(offset, offset + window.length))).toBe(true)
    const isEnd = (offset + window.length) % (3 * MIB) === 0
    const left = isEnd ? 0 : Math.min(rest, window.length)
    offset += window.length - left
    const kept = window.subarray(window.length - left)
    window = await clock.outcome(windows.next(offset, kept))
    expect(window.length).toBeGreaterThan(left)
    expect(Math.floor(offset / (3 * MIB))).toBe(Math.floor((offset + window.length - 1) / (3 * MIB)))
  }
  await clock.outcome(windows.settled())
})

test('a jump goes where it is told to', async () => {
  const { clock, reader, bytes } = threeSegments()
  const windows = new LogWindows(reader, 0)
  await clock.outcome(windows.next(0, Buffer.alloc(0)))
  const window = await clock.outcome(windows.next(3 * MIB, Buffer.alloc(0)))
  expect(window.equals(bytes.subarray(3 * MIB, 3 * MIB + window.length))).toBe(true)
})

test('a window that cannot be read is a failure for who asks for it, and for nobody else', async () => {
  const { clock, files, reader } = threeSegments()
  reader.close() // Files are opened again.
  const windows = new LogWindows(reader, 5 * MIB)
  files.fail({ call: 'open', code: 'EIO', matching: /6291456$/ })
  const last = await clock.outcome(windows.next(5 * MIB, Buffer.alloc(0)))
  expect(last.length).toBe(MIB)
  await clock.outcome(windows.settled())
  await expect(clock.outcome(windows.next(6 * MIB, Buffer.alloc(0)))).rejects.toThrow('EIO')
})

test('records that are longer than a window, and those that lie across two, are recovered', async () => {
  const bench = new StoreBench({
    segmentBytes: 8 * MIB,
    maxMessageBytes: 4 * MIB,
    consumeQueueFileBytes: 4000,
  })
  const store = await bench.openMaster()
  const sizes = [
    10,
    700 * KIB,
    900 * KIB,
    3.5 * MIB,
    60 * KIB,
    65 * KIB,
    100,
    2 * MIB,
    3 * MIB,
    1000,
    1500 * KIB,
  ]
  for (const [n, size] of sizes.entries()) store.append(message(String(n).padEnd(size, 'x')))
  for (let n = 0; n < 3000; n += 1) store.append(message(String(n).padEnd(1000, 'y')))
  await bench.dispatched(store)
  const before = { end: store.end, log: logBytes(store), bodies: bodies(store) }
  bench.kill()
  const again = await bench.open()
  expect(again.end).toBe(before.end)
  expect(logBytes(again).equals(before.log)).toBe(true)
  expect(bodies(again)).toEqual(before.bodies)
})
