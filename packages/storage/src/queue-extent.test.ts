import { encodeUnit } from '@tandemmq/codec'
import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { describe, expect, test } from 'vitest'
import { ConsumeQueueFiles } from './consume-queue-files.ts'
import { readQueueExtent } from './queue-extent.ts'

const directory = '/data/consumequeue/t/0'

/** A queue's files of five units, as a power cut left them: log offsets per file, 0 for a unit that is not there. */
function files(...contents: readonly (readonly [name: number, ...offsets: number[]])[]): ConsumeQueueFiles {
  const disk = new SimulatedFiles({ clock: new SimulatedClock(), random: new SeededRandom(1) })
  disk.makeDirectory(directory)
  for (const [start, ...offsets] of contents) {
    const bytes = Buffer.alloc(100)
    for (const [index, offset] of offsets.entries()) {
      if (offset > 0) encodeUnit(bytes, index * 20, { offset, size: 10, tagsCode: 0n })
    }
    const file = disk.open(`${directory}/${String(start).padStart(20, '0')}`, 'create')
    file.write(bytes, 0)
    file.close()
  }
  return new ConsumeQueueFiles(disk, 100, 4)
}

describe('after a power cut, of a queue', () => {
  const lost = { pagesMayBeLost: true, synced: 100 }

  test('units below the synced log offset are believed, newer ones are not', () => {
    const cut = files([0, 10, 20, 80, 90, 100], [100, 110])
    expect(readQueueExtent(cut, directory, lost)).toEqual({ first: 0, min: 0, end: 4 })
    expect(cut.list(directory)).toHaveLength(1)
  })

  test('a torn unit ends it, although it points below', () => {
    expect(readQueueExtent(files([0, 10, 40, 30, 50]), directory, lost)?.end).toBe(2)
    expect(readQueueExtent(files([0, 10, 0, 30, 50]), directory, lost)?.end).toBe(1)
  })

  test('a file without its predecessors says nothing, a believed one stands for them', () => {
    expect(readQueueExtent(files([200, 300]), directory, lost)).toBeUndefined()
    expect(readQueueExtent(files([0, 10, 20, 30, 40, 50], [100, 60]), directory, lost)?.end).toBe(6)
    expect(readQueueExtent(files([100, 60, 70]), directory, lost)).toEqual({ first: 5, min: 5, end: 7 })
  })

  test('a file that survived behind a gap goes', () => {
    const gap = files([0, 10, 20], [200, 300])
    expect(readQueueExtent(gap, directory, lost)).toEqual({ first: 0, min: 0, end: 2 })
    expect(gap.list(directory)).toHaveLength(1)
  })
})

test('without lost pages everything written is believed, whatever it points at', () => {
  const all = { pagesMayBeLost: false, synced: 0 }
  expect(readQueueExtent(files([0, 10, 20, 80, 90, 100], [100, 110]), directory, all)?.end).toBe(6)
  expect(readQueueExtent(files([0, 10, 20, 80, 90, 100], [100]), directory, all)?.end).toBe(5)
  expect(readQueueExtent(files(), directory, all)).toBeUndefined()
})
