import { expect, test } from 'vitest'
import { coldStand } from './cold-stand.test-kit.ts'
import { bodies, type Stand } from './stand.test-kit.ts'

/** Longer than it takes to start again. */
const WAIT_MS = 60_000

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${n}`)
}

function later(stand: Stand, body: string, ms: number) {
  return stand.send({ type: 'DELAY', deliveryTimestamp: stand.clock.now() + ms, body: Buffer.from(body) })
}

function described(stand: Stand): void {
  stand.topic('orders', { queues: 1 })
  stand.group('billing')
}

async function receivedAll(stand: Stand): Promise<string[]> {
  const all: string[] = []
  for (let some = await stand.receive(); some.length > 0; some = await stand.receive())
    all.push(...bodies(some))
  return all
}

test('scheduled messages on file are found and put into their topics without a read for which everybody waits', async () => {
  const { stand, reads } = await coldStand(async (filling) => {
    described(filling)
    for (const body of numbers(200)) await later(filling, body, WAIT_MS)
  })
  stand.messaging.startTimers()
  await stand.clock.advance(1000)
  await stand.clock.advance(WAIT_MS)
  expect(reads.filter(({ isLater }) => !isLater)).toEqual([])
  expect(reads.length).toBeLessThan(20)
  expect(await receivedAll(stand)).toEqual(numbers(200))
})

test('one that arrives while those on file are read is not forgotten', async () => {
  const { stand } = await coldStand(async (filling) => {
    described(filling)
    for (const body of numbers(100)) await later(filling, body, 1000)
    // Due when it starts again: their topic is searched too.
    await filling.clock.advance(2000)
    await filling.sendAll(...Array.from({ length: 100 }, () => 'other'))
  })
  const sent: Promise<unknown>[] = []
  const turn = (): void => {
    sent.push(later(stand, `late ${sent.length}`, 5000))
    if (sent.length < 60) stand.clock.after(0, turn)
  }
  stand.messaging.startTimers()
  turn()
  await stand.clock.advance(1)
  await Promise.all(sent)
  await stand.clock.advance(WAIT_MS)
  const received = (await receivedAll(stand)).filter((body) => body !== 'other')
  expect(new Set(received)).toEqual(new Set([...numbers(100), ...sent.map((_, n) => `late ${n}`)]))
  expect(received).toHaveLength(160)
})

test('what a former run had put is found on file, and not put again', async () => {
  const { stand, reads } = await coldStand(async (filling) => {
    described(filling)
    filling.messaging.startTimers()
    await filling.clock.settle()
    for (const body of numbers(80)) await later(filling, body, 1000)
    await filling.clock.advance(5000)
    await filling.sendAll('last')
  })
  stand.messaging.startTimers()
  await stand.clock.advance(WAIT_MS)
  expect(await receivedAll(stand)).toEqual([...numbers(80), 'last'])
  expect(reads.filter(({ isLater }) => !isLater)).toEqual([])
})
