import { expect, test } from 'vitest'
import type { MessageStore } from './index.ts'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

const root = '/data/store'

async function filled(bench: StoreBench): Promise<MessageStore> {
  const store = await bench.openMaster()
  for (let n = 0; n < 50; n += 1)
    store.append(message(`${n} ${'b'.repeat(300)}`, n % 3 === 0 ? 'orders' : 'parcels'))
  await bench.clock.outcome(store.flush())
  await bench.clock.advance(10_000)
  return store
}

function numbers(store: MessageStore, topic = 'orders'): string[] {
  return bodies(store, topic).map((body) => body.split(' ')[0] ?? '')
}

test.each([
  ['kill', 'ours'],
  ['power', 'ours'],
  ['power', 'of Apache'],
] as const)(
  'queues that %s interrupts being built again are built again by the next start: a store %s',
  async (how, whose) => {
    let crashes = 0
    for (let crashAt = 1; ; crashAt += 1) {
      const bench = new StoreBench({}, crashAt)
      const store = await filled(bench)
      const expected = [numbers(store), numbers(store, 'parcels')]
      await bench.clock.outcome(store.close())
      const kept = whose === 'ours' ? /^(commitlog|position|epoch|checkpoint)/ : /^(commitlog|checkpoint)/
      for (const name of bench.disk.list(root)) if (!kept.test(name)) bench.disk.remove(`${root}/${name}`)
      const queues = ['orders', 'parcels'].flatMap((topic) => [
        `/consumequeue/${topic}/0`,
        `/consumequeue/${topic}`,
      ])
      for (const directory of [...queues, '/consumequeue', ''])
        await bench.clock.outcome(bench.disk.syncDirectory(root + directory))
      const crashed = await bench.untilCrash(how, crashAt, async (files) => {
        const rebuilt = await bench.opening({}, files)
        await rebuilt.close()
      })
      if (!crashed) break
      crashes += 1
      const again = await bench.open()
      expect([numbers(again), numbers(again, 'parcels')], `crash at ${crashAt}`).toEqual(expected)
      bench.kill()
    }
    expect(crashes).toBeGreaterThan(20)
  },
)
