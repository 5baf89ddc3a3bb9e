import type { Files, OpenFile, OpenMode } from '@tandemmq/base'
import type { SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import type { MessageStore } from './index.ts'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

const MIB = 1024 * 1024
const root = '/data/store'
const index = { slots: 64, entries: 40 }

/** Counts the bytes that are read from the commit log. */
class CountingFiles {
  bytes = 0

  of(files: Files): Files {
    const open = (path: string, mode: OpenMode): OpenFile => {
      const file = files.open(path, mode)
      if (!path.includes('/commitlog/')) return file
      const count = (read: number): number => {
        this.bytes += read
        return read
      }
      return {
        path,
        size: () => file.size(),
        read: (target, position) => count(file.read(target, position)),
        readLater: async (target, position) => count(await file.readLater(target, position)),
        write: (bytes, position) => file.write(bytes, position),
        truncate: (size) => file.truncate(size),
        dataSync: () => file.dataSync(),
        close: () => file.close(),
      }
    }
    return {
      open,
      exists: (path) => files.exists(path),
      list: (directory) => files.list(directory),
      makeDirectory: (path) => files.makeDirectory(path),
      rename: (from, to) => files.rename(from, to),
      remove: (path) => files.remove(path),
      syncDirectory: (directory) => files.syncDirectory(directory),
      space: (path) => files.space(path),
    }
  }
}

/** Bytes of the log that a start reads after a kill: a log of `logBytes`, checkpointed but for about 100 KiB. */
async function readAfterKill(logBytes: number): Promise<number> {
  const bench = new StoreBench({ segmentBytes: 256 * 1024, consumeQueueFileBytes: 20_000, index })
  const store = await bench.openMaster()
  const body = 'x'.repeat(2000)
  while (store.end < logBytes) {
    for (let n = 0; n < 100; n += 1) store.append(message(body))
    await bench.clock.advance(10)
  }
  await bench.clock.advance(20_000) // Queues, index and position file follow.
  for (let n = 0; n < 50; n += 1) store.append(message(body))
  await bench.clock.outcome(store.flush())
  bench.kill()
  const counting = new CountingFiles()
  const again = await bench.clock.outcome(bench.opening({}, counting.of(bench.disk.mount())))
  expect(again.end).toBe(store.end)
  return counting.bytes
}

test('a start reads what the checkpoint leaves, however long the log is', async () => {
  const [short, long] = [await readAfterKill(3 * MIB), await readAfterKill(9 * MIB)]
  expect(long).toBeLessThan(4 * MIB)
  expect(Math.abs(long - short)).toBeLessThan(1.5 * MIB)
})

test('nor does a start read again what the one before had to read whole', async () => {
  const bench = new StoreBench({ segmentBytes: 256 * 1024, consumeQueueFileBytes: 20_000, index })
  const store = await bench.openMaster()
  while (store.end < 6 * MIB) store.append(message('x'.repeat(2000)))
  await bench.clock.outcome(store.close())
  bench.disk.remove(`${root}/consumequeue`)
  const read = async (): Promise<number> => {
    const counting = new CountingFiles()
    const again = await bench.clock.outcome(bench.opening({}, counting.of(bench.disk.mount())))
    await bench.clock.outcome(again.close())
    return counting.bytes
  }
  expect(await read()).toBeGreaterThan(6 * MIB)
  expect(await read()).toBeLessThan(3 * MIB)
})

async function unsyncedStore(): Promise<StoreBench> {
  const bench = new StoreBench({ index, flushIntervalMs: 60_000 })
  const store = await bench.openMaster()
  for (let n = 0; n < 40; n += 1)
    store.append(message(`${n} ${'x'.repeat((n * 97) % 800)}`, `t${n % 3}`, n % 2))
  await bench.clock.outcome(store.flush())
  await bench.clock.advance(20_000)
  for (let n = 40; n < 60; n += 1) store.append(message(`${n}`, `t${n % 3}`, n % 2))
  await bench.clock.settle()
  return bench
}

/** Contents of all files below a directory, by path; those of the index, whose names are times, in their order. */
function contents(disk: SimulatedFiles, directory: string): readonly (readonly [string, string])[] {
  return disk.list(directory).flatMap((name, at): readonly (readonly [string, string])[] => {
    const path = `${directory}/${name}`
    if (disk.list(root).includes(name)) return []
    let file: OpenFile
    try {
      file = disk.open(path, 'read')
    } catch {
      return contents(disk, path)
    }
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0)
    return [[directory.endsWith('/index') ? String(at) : path, bytes.toString('base64')]]
  })
}

async function settled(bench: StoreBench, before: SimulatedFiles, lost: readonly string[]): Promise<string> {
  const own = new StoreBench(bench.options)
  const disk = before.fork({ clock: own.clock, random: own.random })
  for (const name of lost) disk.remove(`${root}/${name}`)
  const store: MessageStore = await own.clock.outcome(own.opening({ bootId: 'later' }, disk.mount()))
  await own.clock.outcome(store.close())
  return JSON.stringify([contents(disk, `${root}/consumequeue`), contents(disk, `${root}/index`)])
}

test.each(['kill', 'power'] as const)(
  'consume queues and index that are deleted while the store is down after a %s come out the same',
  async (how) => {
    const bench = await unsyncedStore()
    if (how === 'kill') bench.kill()
    else bench.disk.crashAs({ name: 'nothing', keeps: () => false })
    const expected = await settled(bench, bench.disk, [])
    expect(expected.length).toBeGreaterThan(1000)
    for (const lost of [
      ['consumequeue'],
      ['index'],
      ['consumequeue', 'index'],
      ['consumequeue/t1'],
      ['queueEnds'],
    ]) {
      expect(await settled(bench, bench.disk, lost), lost.join()).toBe(expected)
    }
  },
)

test('a record stays as it was read while the log is cut below it and written again', async () => {
  const bench = new StoreBench({ tailBytes: 2048 })
  const store = await bench.openMaster()
  for (let n = 0; n < 8; n += 1) store.append(message(`old ${n}`))
  await bench.dispatched(store)
  const unit = store.queue('orders', 0)?.unit(5)
  const record = store.record(unit?.offset ?? -1, unit?.size)
  const second = store.record(0).size
  await bench.clock.outcome(store.truncateTo(second))
  await bench.clock.outcome(store.openEpoch())
  for (let n = 0; n < 20; n += 1) store.append(message(`new ${n}`))
  await bench.dispatched(store)
  expect(record.body.toString()).toBe('old 5')
  expect(bodies(store).slice(0, 3)).toEqual(['old 0', 'new 0', 'new 1'])
})
