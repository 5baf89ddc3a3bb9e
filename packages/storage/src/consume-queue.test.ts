import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { ConsumeQueueFiles } from './consume-queue-files.ts'
import { ConsumeQueue } from './consume-queue.ts'
import { readQueueExtent } from './queue-extent.ts'

const directory = '/data/consumequeue/t/0'
const trusted = { pagesMayBeLost: false, synced: 0 }

let disk: SimulatedFiles
beforeEach(() => {
  disk = new SimulatedFiles({ clock: new SimulatedClock(), random: new SeededRandom(1) })
})

/** Five units per file, two files open at a time. */
function filesOf(): ConsumeQueueFiles {
  return new ConsumeQueueFiles(disk, 100, 2)
}

function open(files: ConsumeQueueFiles): ConsumeQueue {
  const queue = new ConsumeQueue('t', 0, directory, files, readQueueExtent(files, directory, trusted))
  queue.advanceMin(0)
  return queue
}

function unit(offset: number): { offset: number; size: number; tagsCode: bigint } {
  return { offset, size: 10, tagsCode: -7n }
}

describe('a consume queue', () => {
  test('that begins late fills its first file up to there, as Apache does', () => {
    const queue = open(filesOf())
    expect(queue.put(7, unit(1000))).toBe(true)
    queue.writePending()
    expect(disk.list(directory)).toEqual(['00000000000000000100'])
    expect([queue.minOffset, queue.maxOffset]).toEqual([7, 8])
    const bytes = Buffer.alloc(60)
    disk.open(`${directory}/00000000000000000100`, 'read').read(bytes, 0)
    const filler = '00000000000000007fffffff0000000000000000'
    expect(bytes.toString('hex')).toBe(`${filler}${filler}00000000000003e80000000afffffffffffffff9`)
    const again = open(filesOf())
    expect([again.minOffset, again.maxOffset]).toEqual([7, 8])
    expect(again.unit(6)).toBeUndefined()
    expect(again.unit(7)).toEqual(unit(1000))
  })

  test('keeps positions true across a gap, small or larger than a file', () => {
    const queue = open(filesOf())
    queue.put(0, unit(10))
    queue.put(3, unit(20))
    queue.writePending()
    expect(queue.units(0, 10)).toEqual([unit(10), undefined, undefined, unit(20)])
    expect(queue.offsetAtOrAfter(11)).toBe(3)
    queue.put(2_000_000_003, unit(30))
    queue.writePending()
    expect([queue.minOffset, queue.maxOffset]).toEqual([2_000_000_003, 2_000_000_004])
    const again = open(filesOf())
    expect([again.minOffset, again.maxOffset]).toEqual([2_000_000_003, 2_000_000_004])
    expect(again.unit(2_000_000_003)).toEqual(unit(30))
  })

  test('drops what it has already', () => {
    const queue = open(filesOf())
    expect(queue.put(0, unit(10))).toBe(true)
    expect(queue.put(0, unit(10))).toBe(false)
    queue.writePending()
    expect(queue.put(0, unit(99))).toBe(false)
    expect(queue.unit(0)).toEqual(unit(10))
  })

  test('is cut again after it has grown to the length it had before', () => {
    const queue = open(filesOf())
    for (const [at, offset] of [100, 110, 120, 130].entries()) queue.put(at, unit(offset))
    queue.writePending()
    queue.cut(110)
    for (const [at, offset] of [140, 150, 160].entries()) queue.put(at + 1, unit(offset))
    queue.writePending()
    queue.cut(140)
    expect([queue.minOffset, queue.maxOffset]).toEqual([0, 1])
  })

  test('is like a list, through batches, cuts and restarts', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('batch' as const), count: fc.integer({ min: 1, max: 13 }) }),
      fc.record({ kind: fc.constant('cut' as const), at: fc.nat(100) }),
      fc.record({ kind: fc.constant('reopen' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.nat(12), (steps, start) => {
        disk = new SimulatedFiles({ clock: new SimulatedClock(), random: new SeededRandom(1) })
        let files = filesOf()
        let queue = open(files)
        const model: number[] = []
        let next = 100
        for (const it of steps) {
          if (it.kind === 'batch') {
            for (let n = 0; n < it.count; n += 1) {
              queue.put(start + model.length, unit(next))
              model.push(next)
              next += 10
            }
            queue.writePending()
          } else if (it.kind === 'cut' && model.length > 1) {
            // The first message stays: without one, a queue says nothing about where it begins.
            const place = 1 + (it.at % (model.length - 1))
            queue.cut(model[place] ?? 0)
            model.splice(place)
          } else if (it.kind === 'reopen') {
            files.close()
            files = filesOf()
            queue = open(files)
          }
          if (model.length === 0) continue
          expect([queue.minOffset, queue.maxOffset]).toEqual([start, start + model.length])
          const found: (number | undefined)[] = []
          for (let at = start; at < queue.maxOffset;) {
            const units = queue.units(at, 4)
            found.push(...units.map((real) => real?.offset))
            at += units.length
          }
          expect(found).toEqual(model)
          expect(queue.offsetAtOrAfter((model.at(-1) ?? 0) - 3)).toBe(queue.maxOffset - 1)
        }
      }),
      { numRuns: 300 },
    )
  })
})
