import { describe, expect, test } from 'vitest'
import type { MessageStore, StoreOptions } from './index.ts'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

/** What a run of the script has been promised, and what it did. */
interface Ledger {
  /** Bodies in the order of their appends. */
  readonly sent: string[]
  /** How many of them a flush has promised. */
  promised: number
  openedEpochs: number
  /** The script had got as far as its clean stop. */
  isClosing: boolean
  roster: string[]
}

/** Appends and flushes across segment ends, while queues are synced and state files are replaced. */
async function script(bench: StoreBench, store: MessageStore, ledger: Ledger): Promise<void> {
  if (store.lineage === undefined) await store.createLineage()
  await store.openEpoch()
  ledger.openedEpochs += 1
  for (let round = 0; round < 6; round += 1) {
    for (let n = 0; n < 4; n += 1) {
      const body = `${ledger.sent.length} ${'b'.repeat(bench.random.below(500))}`
      store.append(message(body))
      ledger.sent.push(body)
    }
    const count = ledger.sent.length
    if (round % 3 !== 2) {
      await store.flush()
      ledger.promised = Math.max(ledger.promised, count)
    } else {
      await new Promise<void>((resolve) => bench.clock.after(2000, resolve))
    }
    if (round === 1) {
      await store.addToRoster('replica-1')
      ledger.roster = ['replica-1']
    }
  }
  ledger.isClosing = true
  await store.close()
  ledger.promised = ledger.sent.length
}

function check(store: MessageStore, ledger: Ledger): void {
  const found = bodies(store)
  expect(found.length).toBeGreaterThanOrEqual(ledger.promised)
  expect(found).toEqual(ledger.sent.slice(0, found.length))
  expect(store.dispatched.at).toBe(store.end)
  expect(store.roster).toEqual(expect.arrayContaining(ledger.roster))
  expect(store.lineage?.epochs.length ?? 0).toBeGreaterThanOrEqual(ledger.promised > 0 ? 1 : 0)
}

const options: Partial<StoreOptions> = {
  positionIntervalMs: 300,
  queueSyncIntervalMs: 600,
  flushIntervalMs: 500,
}

describe.each([
  ['kill', 1],
  ['kill', 2],
  ['power', 1],
  ['power', 2],
] as const)('after a crash (%s) at any call to the disk (seed %i)', (how, seed) => {
  test('nothing promised is lost, nothing unsent appears, and appends go on, and a power cut counts as a possible loss (rule 3.1)', async () => {
    let crashes = 0
    for (let crashAt = 1; ; crashAt += 1) {
      const bench = new StoreBench(options, crashAt + seed * 1000)
      const ledger: Ledger = { sent: [], promised: 0, openedEpochs: 0, isClosing: false, roster: [] }
      const crashed = await bench.untilCrash(how, crashAt, async (files) => {
        await script(bench, await bench.opening({}, files), ledger)
      })
      if (!crashed) break
      crashes += 1

      // The recovery dies as well, at some place.
      await bench.untilCrash(how, 1 + bench.random.below(25), async (files) => {
        await bench.opening({}, files)
      })
      if (bench.random.chance(1, 2)) bench.kill()

      const store = await bench.open()
      check(store, ledger)
      if (ledger.openedEpochs > 0 && !ledger.isClosing && how === 'power')
        expect(store.recovery.lossPossible).toBe(true)
      if (store.lineage === undefined) await bench.clock.outcome(store.createLineage())
      await bench.clock.outcome(store.openEpoch())
      const count = bodies(store).length
      expect(store.append(message('after')).queueOffset).toBe(count)
      await bench.clock.outcome(store.flush())
      bench.cutPower()
      const last = await bench.open()
      expect(bodies(last).slice(count)).toEqual(['after'])
      bench.kill()
    }
    expect(crashes).toBeGreaterThan(100)
  })
})
