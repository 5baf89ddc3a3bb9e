import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger, silentMeter, type Files } from '@tandemmq/base'
import { NodeClock, NodeFiles, NodeRandom } from '@tandemmq/platform-node'
import { MessageStore } from '@tandemmq/storage'
import { SeededRandom, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { OWN_SEGMENT_BYTES, OwnDirectory } from '../own-store.test-kit.ts'
import { verifyStore } from '../verify.ts'
import { DonorStore } from './donor-store.ts'
import { repairStore, type RepairOptions, type RepairReport } from './repair-store.ts'
import { LOG } from './repair.test-kit.ts'
import { filesIn } from '../files-in.test-kit.ts'

const changing = new Set([
  'makeDirectory',
  'rename',
  'remove',
  'syncDirectory',
  'write',
  'truncate',
  'dataSync',
])

/** Counts what changes or syncs something before it happens; `count` may throw. */
function counting<T extends object>(target: T, count: () => void): T {
  return new Proxy(target, {
    get(object, name): unknown {
      const value: unknown = Reflect.get(object, name)
      if (typeof value !== 'function') return value
      return (...words: unknown[]): unknown => {
        if (changing.has(String(name)) || (name === 'open' && words[1] === 'create')) count()
        const result: unknown = Reflect.apply(value, object, words)
        return name === 'open' && typeof result === 'object' && result !== null
          ? counting(result, count)
          : result
      }
    },
  })
}

const options = { cut: false, nowMs: 1, confirm: () => Promise.resolve(true) }

function repair(files: Files, more: Partial<RepairOptions>): Promise<RepairReport> {
  return repairStore(
    files,
    '/store',
    { ...options, ...more },
    () => {},
    () => {},
  )
}

/** A disk with the damaged store. */
async function damagedDisk(own: string, seed: number): Promise<SimulatedFiles> {
  const disk = new SimulatedFiles({
    clock: new NodeClock(),
    random: new SeededRandom(seed),
    syncMs: { min: 0, max: 0 },
  })
  for (const path of filesIn(own)) {
    const bytes = readFileSync(join(own, path))
    if (path === LOG) bytes.fill(0, 1024, 3072)
    if (path === 'consumequeue/orders/1/00000000000000000000') bytes.fill(7, 40, 45)
    if (path === 'checkpoint') bytes[60] = 1
    const directory = join('/store', path, '..')
    disk.makeDirectory(directory)
    const file = disk.open(join('/store', path), 'create')
    file.write(bytes, 0)
    await file.dataSync()
    file.close()
    for (let above = directory; above !== '/'; above = join(above, '..')) await disk.syncDirectory(above)
  }
  await disk.syncDirectory('/')
  return disk
}

async function messagesOf(files: Files): Promise<number> {
  const store = await MessageStore.open(
    {
      root: '/store',
      storeHost: { ip: '127.0.0.1', port: 1 },
      bootId: 'boot',
      segmentBytes: OWN_SEGMENT_BYTES,
      consumeQueueFileBytes: 2000,
      index: { slots: 50, entries: 200 },
    },
    { files, clock: new NodeClock(), random: new NodeRandom(), logger: silentLogger, meter: silentMeter },
  )
  let messages = 0
  for (const queue of store.queueOffsets()) {
    for (let at = queue.minOffset; at < queue.maxOffset; at += 1) {
      const unit = queue.unit(at)
      if (unit !== undefined && store.record(unit.offset, unit.size).queueOffset === at) messages += 1
    }
  }
  await store.close()
  return messages
}

test.each(['fetched', 'cut'] as const)(
  'the power may go at any call of a repair (%s): the next one finishes it',
  { timeout: 120_000 },
  async (how) => {
    using own = await OwnDirectory.closed()
    const source = new DonorStore(new NodeFiles(), own.root)
    const wishes = how === 'cut' ? { cut: true } : { source }
    let cuts = 0
    for (let at = 1; ; at += 4) {
      const disk = await damagedDisk(own.root, at)
      let calls = 0
      const dying = counting(disk, () => {
        calls += 1
        if (calls >= at) throw new Error('the power is gone')
      })
      const outcome = await repair(dying, wishes).then(
        () => 'done',
        (failure: unknown) => String(failure),
      )
      if (outcome === 'done') break
      expect(outcome).toContain('the power is gone')
      disk.crash()
      cuts += 1
      await repair(disk, { ...wishes, nowMs: 2 })
      const lines: string[] = []
      expect({ at, exitCode: verifyStore(disk, '/store', (line) => lines.push(line)), lines }).toMatchObject({
        exitCode: 0,
      })
      expect(await messagesOf(disk)).toBe(how === 'cut' ? 127 : 300)
    }
    expect(cuts).toBeGreaterThan(20)
  },
)
