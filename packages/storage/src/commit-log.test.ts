import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { CommitLog } from './commit-log.ts'

const directory = '/data/commitlog'

function emptyLog(tailBytes = 1024): { readonly log: CommitLog; readonly clock: SimulatedClock } {
  const clock = new SimulatedClock()
  const files = new SimulatedFiles({ clock, random: new SeededRandom(1) })
  files.makeDirectory(directory)
  return {
    log: new CommitLog(
      { directory, segmentBytes: 4096, tailBytes, coldBytes: 1024, keptFreeRatio: 0 },
      files,
      clock,
      0,
      0,
    ),
    clock,
  }
}

function append(log: CommitLog, bytes: number, fill: number): void {
  log.append(bytes, (target, at) => target.fill(fill, at, at + bytes))
}

test('nobody reads what was not announced', () => {
  const { log } = emptyLog()
  append(log, 100, 1)
  log.announce()
  append(log, 100, 2)
  expect(log.read(0, 1000)).toEqual(Buffer.alloc(100, 1))
  expect(log.read(100, 1000)).toHaveLength(0)
  expect(() => log.read(101, 1)).toThrow(expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' }))
  expect(() => log.readExactly(0, 101)).toThrow(expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' }))
  log.announce()
  expect(log.read(100, 1000)).toEqual(Buffer.alloc(100, 2))
})

test('a view stays true while the writer goes on, rolls, and the log begins later', async () => {
  const { log, clock } = emptyLog()
  append(log, 100, 1)
  log.announce()
  const view = log.read(0, 100)
  for (let n = 2; n < 200; n += 1) {
    append(log, 100, n)
    log.announce()
    if (n % 50 === 0) await clock.outcome(log.sync())
  }
  log.forgetBelow(2 * 4096)
  expect(view).toEqual(Buffer.alloc(100, 1))
  const cold = log.read(2 * 4096, 100)
  log.close()
  expect(cold.every((byte) => byte === cold[0])).toBe(true)
})
