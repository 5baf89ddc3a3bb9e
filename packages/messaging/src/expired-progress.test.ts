import { describe, expect, test } from 'vitest'
import { Stand, bodies } from './stand.test-kit.ts'

const SEGMENT = 1 << 20

async function opened(): Promise<Stand> {
  const stand = await Stand.open()
  stand.topic('orders', { queues: 1 })
  stand.group('billing')
  stand.group('strict', { orderly: true })
  return stand
}

/** About three to a segment. */
const large = (name: string) => Buffer.from(`${name} ${'x'.repeat(300_000)}`)

async function sendLarge(stand: Stand, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 1) await stand.send({ body: large(`m${n}`) })
  await stand.clock.advance(10_000)
}

const names = (messages: Parameters<typeof bodies>[0]) => bodies(messages).map((body) => body.split(' ')[0])

describe('a consumer whose next message has expired', () => {
  test('goes on with the oldest that is there, and its progress says so', async () => {
    for (const group of ['billing', 'strict']) {
      const stand = await opened()
      await sendLarge(stand, 0, 12)
      const [first] = await stand.receive({ group, batchSize: 1 })
      expect(names(first === undefined ? [] : [first])).toEqual(['m0'])
      await stand.clock.outcome(stand.store.expire(2 * SEGMENT))
      const min = stand.store.queue('orders', 0)?.minOffset ?? 0
      expect(min).toBe(6)
      expect(names(await stand.receive({ group, batchSize: 1 })), group).toEqual(['m6'])
      const progress = stand.metadata.progress.queue(group, 'orders', 0)
      expect(progress.floor, group).toBe(6)
      // The lease of what is gone does not count any more.
      expect(
        [...progress.leases()].map(({ queueOffset }) => queueOffset),
        group,
      ).toEqual([6])
      // An acknowledgement that comes late is taken, and changes nothing.
      if (first !== undefined) await stand.ack(first, {}, group)
      expect(progress.floor, group).toBe(6)
    }
  })

  test('is served by a slave without a word about what its master may still keep', async () => {
    const stand = await opened()
    await sendLarge(stand, 0, 8)
    stand.writingAllowed = false
    await stand.clock.outcome(stand.store.expire(2 * SEGMENT))
    expect(names(await stand.receive({ batchSize: 1 }))).toEqual(['m6'])
    expect(stand.metadata.progress.queue('billing', 'orders', 0).floor).toBe(0)
  })

  test('gets nothing twice in order from a slave that may not settle what has expired', async () => {
    const stand = await opened()
    const strict = { group: 'strict', batchSize: 32 }
    await sendLarge(stand, 0, 9)
    stand.writingAllowed = false
    await stand.clock.outcome(stand.store.expire(2 * SEGMENT))
    const messages = await stand.receive(strict)
    expect(names(messages)).toEqual(['m6', 'm7', 'm8'])
    for (const message of messages) await stand.ack(message, {}, 'strict')
    expect(stand.metadata.progress.queue('strict', 'orders', 0).floor).toBe(0)
    expect(names(await stand.receive(strict))).toEqual([])
    await sendLarge(stand, 9, 10)
    expect(names(await stand.receive(strict))).toEqual(['m9'])
  })

  test('does not stumble in the moment in which the log has moved and the queue has not', async () => {
    const stand = await opened()
    await sendLarge(stand, 0, 8)
    const expiring = stand.store.expire(2 * SEGMENT)
    expect(stand.store.queue('orders', 0)?.minOffset).toBe(0)
    expect(stand.store.minOffset).toBe(2 * SEGMENT)
    const answer = stand.messaging.receive(stand.request({ batchSize: 1 }), stand.context())
    const { messages } = await stand.clock.outcome(answer)
    expect(names(messages)).toEqual(['m6'])
    await stand.clock.outcome(expiring)
  })
})

test('a scheduled message that expires before it is due is dropped, in words, and holds nothing up', async () => {
  const stand = await opened()
  stand.messaging.startTimers()
  await stand.clock.settle()
  const day = 86_400_000
  const at = (ms: number) => ({ type: 'DELAY' as const, deliveryTimestamp: stand.clock.now() + ms })
  await stand.send({ ...at(day), body: Buffer.from('gone') })
  await sendLarge(stand, 0, 8)
  await stand.send({ ...at(day), body: Buffer.from('kept') })
  await stand.clock.advance(10_000)
  await stand.clock.outcome(stand.store.expire(2 * SEGMENT))
  await stand.clock.advance(day + 10_000)
  const received = await stand.receive()
  expect(names(received)).toContain('kept')
  expect(names(received)).not.toContain('gone')
  const { lines } = stand.logger
  expect(lines.filter(({ message }) => message.includes('expired before it was due'))).toHaveLength(1)
  expect(stand.metadata.delay.floor).toBe(2)
})
