import type { Facts } from '@tandemmq/base'
import { RecordingLogger, RecordingMeter, SimulatedClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { Watchers, type Watcher } from './watchers.ts'

class Stand {
  readonly clock = new SimulatedClock()
  readonly logger = new RecordingLogger()
  readonly meter = new RecordingMeter()
  readonly watchers = new Watchers(this, (identity) => identity.startsWith('slave'))
  readonly hungUp: string[] = []

  /** Somebody who watches, and has taken all before `counter`. */
  join(identity: string, counter?: number): Watcher {
    const watcher = this.watchers.join(identity, () => this.hungUp.push(identity))
    if (counter !== undefined) watcher.acknowledged(at(counter))
    return watcher
  }

  /** How a wait for everything before `counter` ends, and after how long. */
  async wait(counter: number): Promise<readonly [boolean, number]> {
    const before = this.clock.monotonic()
    const isAcknowledged = await this.clock.outcome(this.watchers.acknowledged(at(counter)))
    return [isAcknowledged, this.clock.monotonic() - before]
  }
}

function at(counter: number) {
  return { processEpoch: 1, counter }
}

test('rule 5.8: all slaves that watch have to have acknowledged it, and only they', async () => {
  const stand = new Stand()
  expect(stand.watchers.arePresent).toBe(false)
  stand.join('metadata-rpc', 1)
  expect(stand.watchers.arePresent, 'a read-only copy could not serve').toBe(false)
  expect(await stand.wait(9)).toEqual([true, 0])

  const one = stand.join('slave-1')
  expect(stand.watchers.arePresent, 'it is still catching up').toBe(false)
  one.acknowledged(at(3))
  const other = stand.join('slave-2', 5)
  expect(stand.watchers.arePresent).toBe(true)
  stand.clock.after(30, () => one.acknowledged(at(6)))
  stand.clock.after(50, () => other.acknowledged(at(5)))
  stand.clock.after(80, () => other.acknowledged(at(7)))
  expect(await stand.wait(6)).toEqual([true, 80])
  expect(await stand.wait(6)).toEqual([true, 0])
})

test('rule 5.8: who does not acknowledge in 200 ms is hung up on, and nobody waits for it any more', async () => {
  const stand = new Stand()
  stand.join('slave-1', 3)
  const prompt = stand.join('slave-2', 3)
  const waits = [stand.watchers.acknowledged(at(4)), stand.watchers.acknowledged(at(5))]
  stand.clock.after(10, () => prompt.acknowledged(at(5)))
  expect(await stand.clock.outcome(Promise.all(waits))).toEqual([false, true])
  expect(stand.hungUp, 'the second wait ended with the first').toEqual(['slave-1'])
  expect(stand.watchers.arePresent).toBe(true)
  expect(await stand.wait(5)).toEqual([true, 0])
  expect(stand.logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  expect(stand.meter.value('rocketmq_ha_late_watchers_total')).toBe(1)
})

test('rule 5.8: it is told when one that was hung up on watches again, and how long it was away', async () => {
  const stand = new Stand()
  stand.join('slave-1', 3)
  await stand.wait(4)
  const again = (): readonly Facts[] =>
    stand.logger.lines.filter(({ level }) => level === 'info').map(({ facts }) => facts)
  await stand.clock.advance(700)
  const watcher = stand.join('slave-1')
  stand.join('slave-2', 4)
  await stand.clock.advance(50)
  expect(again(), 'it is still catching up, and the other one was never late').toEqual([])
  watcher.acknowledged(at(4))
  watcher.acknowledged(at(5))
  watcher.left()
  stand.join('slave-1', 5)
  expect(again()).toEqual([{ watcher: 'slave-1', awayMs: 750 }])
})

test('who leaves while it is waited for is not waited for', async () => {
  const stand = new Stand()
  const one = stand.join('slave-1', 3)
  stand.clock.after(20, () => one.left())
  expect(await stand.wait(4)).toEqual([true, 20])
  expect(stand.watchers.arePresent).toBe(false)
  expect(stand.hungUp).toEqual([])
})

test('who was late counts again after a second, and each further time twice as late, so that it costs next to nothing', async () => {
  const stand = new Stand()
  let counter = 0
  let heldUpMs = 0
  let joined = 0
  const began = stand.clock.monotonic()
  while (stand.clock.monotonic() - began < 120_000) {
    // It is hung up on, and comes back at once; a delivery is made ten times a second.
    if (joined === stand.hungUp.length) {
      stand.join('slave-1', counter)
      joined += 1
    }
    counter += 1
    heldUpMs += (await stand.wait(counter))[1]
    await stand.clock.advance(100)
  }
  expect(stand.hungUp.length).toBeLessThanOrEqual(9)
  expect(heldUpMs).toBe(stand.hungUp.length * 200)
  // Long in time again, it is as if nothing had been.
  await stand.clock.advance(120_000)
  expect((await stand.wait(counter + 1))[0]).toBe(false)
  stand.join('slave-1', counter)
  await stand.clock.advance(999)
  expect(stand.watchers.arePresent).toBe(false)
  await stand.clock.advance(1)
  expect(stand.watchers.arePresent).toBe(true)
})
