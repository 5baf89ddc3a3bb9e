import { BrokerError } from '@tandemmq/base'
import {
  SeededRandom,
  SimulatedClock,
  SimulatedFiles,
  WatchedFiles,
  type WatchedRead,
} from '@tandemmq/testkit'
import { describe, expect, test } from 'vitest'
import { CommitLog } from './commit-log.ts'

const directory = '/data/commitlog'
const SEGMENT = 1 << 20
const RECORD = 1000

/** A log of `records` records, each filled with its number, of which a little is in memory. */
async function coldLog(records: number) {
  const clock = new SimulatedClock()
  const disk = new SimulatedFiles({ clock, random: new SeededRandom(1) })
  disk.makeDirectory(directory)
  const reads: WatchedRead[] = []
  const files = new WatchedFiles(
    disk,
    () => {},
    (read) => reads.push(read),
  )
  const sizes = { segmentBytes: SEGMENT, tailBytes: 1, coldBytes: 2 << 20 }
  const log = new CommitLog({ directory, ...sizes, keptFreeRatio: 0 }, files, clock, 0, 0)
  for (let n = 0; n < records; n += 1) log.append(RECORD, (target, at) => target.fill(n, at, at + RECORD))
  log.announce()
  await clock.outcome(log.sync())
  return { log, clock, disk, reads }
}

function place(n: number): { offset: number; size: number } {
  return { offset: n * RECORD, size: RECORD }
}

function places(from: number, count: number): { offset: number; size: number }[] {
  return Array.from({ length: count }, (_, index) => place(from + index))
}

async function readLater(log: CommitLog, offset: number, size: number): Promise<Buffer> {
  return (await log.cold.readLater(offset, size)) ?? Buffer.from('in memory')
}

describe('records on file', () => {
  test('are read once for all who come after each other, off the loop', async () => {
    const { log, clock, reads } = await coldLog(3000)
    for (let from = 0; from < 192; from += 32) {
      await clock.outcome(log.cold.warm(places(from, 32)))
      for (const { offset } of places(from, 32))
        expect(log.readExactly(offset, RECORD)).toEqual(Buffer.alloc(RECORD, offset / RECORD))
    }
    expect(reads).toEqual([expect.objectContaining({ isLater: true })])
  })

  test('are read by many at once, of whom few go on in one turn', async () => {
    const { log, clock } = await coldLog(3000)
    let answered = 0
    for (let reader = 0; reader < 50; reader += 1)
      void log.cold.warm(places(0, 32)).then(() => (answered += 1))
    let most = 0
    let before = 0
    const turn = (): void => {
      most = Math.max(most, answered - before)
      before = answered
      if (answered < 50) clock.after(0, turn)
    }
    turn()
    await clock.advance(100)
    expect(answered).toBe(50)
    expect(most).toBeLessThan(10)
  })

  test('are not read beyond what was announced', async () => {
    const { log, clock } = await coldLog(900)
    log.append(RECORD, (target, at) => target.fill(7, at, at + RECORD))
    await clock.outcome(log.cold.warm(places(800, 100)))
    expect(log.cold.isInMemory(place(899))).toBe(true)
    expect(() => log.readExactly(900 * RECORD, RECORD)).toThrow(
      expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' }),
    )
    expect(log.cold.readLater(900 * RECORD, RECORD)).toBeUndefined()
    expect(() => log.cold.readLater(901 * RECORD, RECORD)).toThrow(
      expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' }),
    )
  })

  test('expire while they are read', async () => {
    const { log, clock, disk } = await coldLog(3000)
    const warm = log.cold.warm(places(0, 32))
    const raw = readLater(log, 0, 5000)
    log.forgetBelow(SEGMENT)
    disk.remove(`${directory}/00000000000000000000`)
    await clock.outcome(warm)
    await expect(clock.outcome(raw)).rejects.toMatchObject({ code: 'OFFSET_EXPIRED' })
    expect(log.cold.isInMemory(place(0))).toBe(false)
    expect(() => log.readExactly(0, RECORD)).toThrow(expect.objectContaining({ code: 'OFFSET_EXPIRED' }))
  })

  test('expire after they were read', async () => {
    const { log, clock } = await coldLog(3000)
    await clock.outcome(log.cold.warm(places(0, 32)))
    expect(log.cold.isInMemory(place(0))).toBe(true)
    log.forgetBelow(SEGMENT)
    expect(log.cold.isInMemory(place(0))).toBe(false)
  })

  test('whose file is closed meanwhile, because others are read, are read all the same', async () => {
    const { log, clock } = await coldLog(1500)
    const raw = readLater(log, 0, RECORD)
    log.cold.forgetBelow(SEGMENT, 0)
    expect(await clock.outcome(raw)).toEqual(Buffer.alloc(RECORD, 0))
  })

  test('are not read by those whose log is closed, for a cut, while they wait', async () => {
    const { log, clock, disk } = await coldLog(3000)
    const raw = readLater(log, 0, RECORD)
    const warm = log.cold.warm(places(0, 32))
    log.endFrontiers(new BrokerError('LOG_CLOSED', 'the log is being cut'))
    disk.open(`${directory}/00000000000000000000`, 'read-write').write(Buffer.alloc(RECORD, 99), 0)
    await expect(clock.outcome(raw)).rejects.toMatchObject({ code: 'LOG_CLOSED' })
    await clock.outcome(warm)
    expect(log.cold.isInMemory(place(0))).toBe(false)
    log.close()
    await clock.outcome(log.cold.warm(places(0, 32)))
  })
})
