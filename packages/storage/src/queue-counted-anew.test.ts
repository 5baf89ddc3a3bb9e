import { invariant } from '@tandemmq/base'
import { describe, expect, test } from 'vitest'
import type { MessageStore, StoreOptions } from './index.ts'
import { StoreBench, bodies, logBytes, message } from './store-bench.test-kit.ts'

const SEGMENT = 4096
/** Every call to the disk is one to crash at; a run tries each n-th of them. */
const STRIDE = Number(process.env['CRASH_STRIDE'] ?? 5)

type Kind = 'an ordinary' | 'a batch'

function optionsOf(kind: Kind): Partial<StoreOptions> {
  return { isBatchTopic: (topic) => kind === 'a batch' && topic === 'rare' }
}

/** `rare` messages, all of which have expired, in files of five units; then others. */
async function expired(rare: number, kind: Kind): Promise<{ bench: StoreBench; store: MessageStore }> {
  const bench = new StoreBench(optionsOf(kind), rare)
  const store = await bench.openMaster()
  for (let n = 0; n < rare; n += 1) store.append(message('r', 'rare'))
  for (let n = 0; n < 60; n += 1) store.append(message(`${n} ${'x'.repeat(400)}`))
  await bench.clock.outcome(store.flush())
  await bench.clock.advance(10_000)
  await bench.clock.outcome(store.expire(2 * SEGMENT))
  expect(store.queue('rare', 0)).toMatchObject({ minOffset: rare, maxOffset: rare })
  return { bench, store }
}

function copy(from: MessageStore, to: MessageStore, begin = to.end): void {
  for (let at = begin; at < from.end; at = to.end) to.appendRaw(at, from.read(at, 10_000))
}

async function follow(bench: StoreBench, slave: MessageStore, master: MessageStore): Promise<void> {
  invariant(master.lineage !== undefined, 'a master has one')
  await bench.clock.outcome(slave.adoptLineage(master.lineage))
}

describe.each([
  ['an ordinary', 1],
  ['an ordinary', 23],
  ['a batch', 1],
  ['a batch', 23],
] as const)('%s queue whose %i messages have all expired', (kind, rare) => {
  test.each([
    'of a slave that began with a later part of the log',
    'of a slave whose log was cut at its begin',
  ])(
    'is counted anew by the successor that never had them (%s), and whoever follows it shows its messages, also after a restart',
    async (which) => {
      const old = await expired(rare, kind)
      const bench = new StoreBench(optionsOf(kind), 2)
      const successor = await bench.open()
      await follow(bench, successor, old.store)
      copy(old.store, successor, old.store.minOffset)
      if (which.includes('cut')) {
        await bench.clock.outcome(successor.truncateTo(successor.minOffset))
        copy(old.store, successor, old.store.minOffset)
      }
      await bench.dispatched(successor)
      await bench.clock.outcome(successor.openEpoch())
      for (const body of ['first', 'second']) successor.append(message(body, 'rare'))
      await bench.dispatched(successor)
      expect(successor.queue('rare', 0)).toMatchObject({ minOffset: 0, maxOffset: 2 })

      await old.bench.clock.outcome(old.store.close())
      const follower = await old.bench.open()
      await follow(old.bench, follower, successor)
      copy(successor, follower)
      await old.bench.dispatched(follower)
      expect(bodies(follower, 'rare')).toEqual(['first', 'second'])
      await old.bench.clock.outcome(follower.close())
      expect(bodies(await old.bench.open(), 'rare')).toEqual(['first', 'second'])
    },
  )

  test.each(['kill', 'power'] as const)('is whole again wherever %s meets that', async (how) => {
    let crashes = 0
    for (let crashAt = 1 + (rare % STRIDE); ; crashAt += STRIDE) {
      const { bench, store } = await expired(rare, kind)
      const bytes = logBytes(store)
      const first = new StoreBench(optionsOf(kind), 2)
      const successor = await first.open()
      await follow(first, successor, store)
      copy(store, successor, store.minOffset)
      await first.clock.outcome(successor.openEpoch())
      for (const body of ['first', 'second']) successor.append(message(body, 'rare'))
      await bench.clock.outcome(store.close())

      const crashed = await bench.untilCrash(how, crashAt, async (files) => {
        const follower = await bench.opening({}, files)
        await follower.adoptLineage(successor.lineage ?? { logId: '', epochs: [] })
        copy(successor, follower)
        await follower.flush()
        await new Promise<void>((resolve) => bench.clock.after(10_000, resolve))
        await follower.close()
      })
      if (!crashed) break
      crashes += 1
      const again = await bench.open()
      copy(successor, again)
      await bench.dispatched(again)
      expect(bodies(again, 'rare'), `crash at ${crashAt}`).toEqual(['first', 'second'])
      expect(logBytes(again).subarray(0, bytes.length).equals(bytes)).toBe(true)
      bench.kill()
      await first.clock.outcome(successor.close())
    }
    expect(crashes).toBeGreaterThan(50 / STRIDE)
  })
})
