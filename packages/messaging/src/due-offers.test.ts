import { describe, expect, test } from 'vitest'
import { coldStand } from './cold-stand.test-kit.ts'
import type { OutgoingMessage } from './api.ts'
import { Stand, bodies } from './stand.test-kit.ts'

/** One that serves without being master, with what it takes to have messages in its log. */
async function serving(timersInMemory = 1000): Promise<Stand> {
  const stand = new Stand()
  stand.timersInMemory = timersInMemory
  await stand.boot()
  described(stand)
  stand.messaging.offerTimers()
  await stand.clock.settle()
  return stand
}

function described(stand: Stand): void {
  for (const name of ['orders', 'bills']) stand.topic(name, { queues: 1 })
  stand.group('billing')
  stand.group('in-order', { orderly: true })
}

function later(stand: Stand, ms: number, body = `in ${ms}`, fields: Partial<OutgoingMessage> = {}) {
  const deliveryTimestamp = stand.clock.now() + ms
  return stand.send({ type: 'DELAY', deliveryTimestamp, body: Buffer.from(body), ...fields })
}

describe('rule 5.6: what is due is offered as it lies in the timer queue', () => {
  test('in the order of due times, before other messages, each to the topic it was sent to', async () => {
    const stand = await serving()
    for (const ms of [3000, 1000, 2000]) await later(stand, ms)
    await later(stand, 1500, 'a bill', { topic: 'bills' })
    await stand.sendAll('at once')
    await stand.clock.advance(3000)
    expect(bodies(await stand.receive({ batchSize: 2 }))).toEqual(['in 1000', 'in 2000'])
    expect(bodies(await stand.receive())).toEqual(['in 3000', 'at once'])
    expect(bodies(await stand.receive({ topic: 'bills' }))).toEqual(['a bill'])
    expect(await stand.receive()).toEqual([])
  })

  test('however little memory there is', async () => {
    const stand = await serving(5)
    const dues = Array.from({ length: 60 }, (_, index) => 1000 + ((index * 37) % 60) * 10)
    for (const ms of dues) await later(stand, ms, `${ms}`)
    await stand.clock.advance(5000)
    const all = [...(await stand.receive()), ...(await stand.receive())]
    expect(bodies(all)).toEqual(dues.toSorted((a, b) => a - b).map((ms) => `${ms}`))
    expect(await stand.receive()).toEqual([])
  })

  test('only if it can be seen', async () => {
    const stand = await serving()
    const { offset } = await later(stand, 1000, 'seen')
    stand.visible.isHeld = true
    await later(stand, 500, 'hidden')
    const poll = stand.poll({ batchSize: 1 })
    await stand.clock.advance(2000)
    expect(bodies((await stand.clock.outcome(poll)).messages)).toEqual(['seen'])
    const next = stand.poll({ pollMs: 60_000 })
    await stand.clock.advance(1000)
    expect(stand.store.end).toBeGreaterThan(offset)
    stand.visible.moveTo(stand.store.end)
    expect(bodies((await stand.clock.outcome(next)).messages)).toEqual(['hidden'])
  })

  test('filtered by tag: what a group does not want is settled for it', async () => {
    const stand = await serving()
    await later(stand, 1000, 'wanted', { tag: 'A' })
    await later(stand, 1001, 'unwanted', { tag: 'B' })
    await stand.clock.advance(2000)
    const filter = { kind: 'tags', tags: new Set(['A']) } as const
    expect(bodies(await stand.receive({ filter }))).toEqual(['wanted'])
    const progress = stand.metadata.progress.queue('billing', 'rmq_sys_wheel_timer', 0)
    expect([progress.isAcked(0), progress.isAcked(1)]).toEqual([false, true])
    // It is in its topic now, for everybody but this group.
    stand.messaging.startTimers()
    await stand.clock.advance(20_000)
    expect(bodies(await stand.receive())).toEqual(['wanted'])
    expect(bodies(await stand.receive({ group: 'in-order' }))).toEqual(['wanted', 'unwanted'])
  })

  test('to an orderly group one at a time, and none while that is out', async () => {
    const stand = await serving()
    for (const ms of [1000, 1001, 1002]) await later(stand, ms)
    await stand.clock.advance(2000)
    const wish = { group: 'in-order', invisibleMs: 5000 }
    const [first] = await stand.receive(wish)
    if (!first) throw new Error('nothing was received')
    expect(bodies([first])).toEqual(['in 1000'])
    expect(await stand.receive(wish)).toEqual([])
    const poll = stand.poll(wish)
    expect(await stand.ack(first, {}, 'in-order')).toBe('OK')
    expect(bodies((await stand.clock.outcome(poll)).messages)).toEqual(['in 1001'])
    await stand.clock.advance(5000)
    expect((await stand.receive(wish)).map(({ attempt }) => attempt)).toEqual([2])
  })

  test('to an orderly group only once those who watch know of it (rule 5.8)', async () => {
    const stand = await serving()
    await later(stand, 1000)
    await stand.clock.advance(2000)
    stand.witnesses.arePresent = true
    const known = new Promise<(isKnown: boolean) => void>((resolve) => {
      stand.witnesses.asked = resolve
    })
    const poll = stand.poll({ group: 'in-order' })
    await stand.clock.settle()
    expect(await stand.receive({ group: 'billing' })).toHaveLength(1)
    const answer = await known
    answer(true)
    expect(bodies((await stand.clock.outcome(poll)).messages)).toEqual(['in 1000'])
  })

  test('is held for a client that renews, and comes again when that is gone', async () => {
    const stand = await serving()
    await later(stand, 1000)
    await stand.clock.advance(2000)
    expect(await stand.receive({ autoRenew: true })).toHaveLength(1)
    await stand.clock.advance(200_000)
    const poll = stand.poll({}, { clientId: 'client-2' })
    await stand.clock.advance(1)
    stand.messaging.clientGone('client-1', 'billing')
    const { messages } = await stand.clock.outcome(poll)
    expect(messages.map(({ attempt }) => attempt)).toEqual([2])
  })

  test('no longer when it is not to serve', async () => {
    const stand = await serving()
    await later(stand, 1000)
    await later(stand, 5000)
    await stand.clock.advance(2000)
    stand.messaging.stopTimers()
    await stand.clock.advance(10_000)
    expect(await stand.receive()).toEqual([])
    stand.messaging.offerTimers()
    await stand.clock.advance(1)
    expect(bodies(await stand.receive())).toEqual(['in 1000', 'in 5000'])
  })

  test('from the disk without a read for which everybody waits, many at a time', async () => {
    const { stand, reads } = await coldStand(async (filling) => {
      described(filling)
      for (let index = 0; index < 400; index += 1) {
        const isFiller = index % 4 > 0
        await later(filling, isFiller ? 900_000 : 20_000, isFiller ? 'x'.repeat(4000) : `${index}`)
      }
    })
    stand.messaging.offerTimers()
    await stand.clock.advance(60_000)
    reads.length = 0
    const all: string[] = []
    let receives = 0
    for (let some = await stand.receive(); some.length > 0; some = await stand.receive()) {
      all.push(...bodies(some))
      receives += 1
    }
    expect(receives).toBeLessThan(10)
    expect(all).toEqual(Array.from({ length: 100 }, (_, index) => `${index * 4}`))
    expect(reads.filter(({ isLater }) => !isLater)).toEqual([])
  })
})
