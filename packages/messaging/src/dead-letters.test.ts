import { describe, expect, test } from 'vitest'
import type { DeliveredMessage } from './api.ts'
import { deadLetterMark, deadLetterMarkOf } from './dead-letter-record.ts'
import { pair } from './property-names.ts'
import { Stand, bodies, refusal } from './stand.test-kit.ts'

const dead = { group: 'audit', topic: '%DLQ%billing' } as const

async function opened(): Promise<Stand> {
  const stand = await Stand.open()
  stand.topic('orders', { queues: 1 })
  stand.topic('%DLQ%billing', { queues: 1 })
  stand.group('billing', { retryMaxTimes: 1 })
  stand.group('audit')
  await stand.sendAll('a', 'b')
  return stand
}

async function one(stand: Stand): Promise<DeliveredMessage> {
  const [message] = await stand.receive({ batchSize: 1 })
  if (!message) throw new Error('nothing was received')
  return message
}

/** Uses up both deliveries of the first message. */
async function exhaust(stand: Stand): Promise<void> {
  await stand.nack(await one(stand), 0)
  await stand.nack(await one(stand), 0)
}

describe('after its last delivery', () => {
  test('a message goes to the dead letters of its group, and the next one is delivered', async () => {
    const stand = await opened()
    await exhaust(stand)
    expect(bodies(await stand.receive())).toEqual(['b'])
    const [letter] = await stand.receive(dead)
    expect(letter?.record.body.toString()).toBe('a')
    expect(letter?.record.reconsumeTimes).toBe(2)
    expect(letter?.properties.get('RETRY_TOPIC')).toBe('orders')
    expect(letter?.properties.get('ORIGIN_MESSAGE_ID')).toMatch(/^[0-9A-F]{32}$/)
    expect(letter?.properties.get('WAIT')).toBe('false')
    expect([...(letter?.properties.keys() ?? [])].filter((name) => name.startsWith('__TMQ'))).toEqual([])
    expect(stand.metadata.progress.queue('billing', 'orders', 0).isAcked(0)).toBe(true)
  })

  test('it is copied once, and rule 5.5: settled only when the copy is visible', async () => {
    const stand = await opened()
    await exhaust(stand)
    stand.visible.isHeld = true
    for (let round = 0; round < 3; round += 1) await stand.receive({ invisibleMs: 1000 })
    expect(stand.store.queue('%DLQ%billing', 0)?.maxOffset).toBe(1)
    expect(stand.metadata.progress.queue('billing', 'orders', 0).isAcked(0)).toBe(false)
    stand.visible.moveTo(stand.store.end)
    expect(stand.metadata.progress.queue('billing', 'orders', 0).isAcked(0)).toBe(true)
  })

  test('where nothing can be written it stays, does not stand in the way, and is moved later', async () => {
    const stand = await opened()
    await exhaust(stand)
    stand.writingAllowed = false
    expect(bodies(await stand.receive())).toEqual(['b'])
    expect(stand.store.queue('%DLQ%billing', 0)).toBeUndefined()
    stand.writingAllowed = true
    expect(await stand.receive()).toEqual([])
    await stand.clock.settle()
    expect(bodies(await stand.receive(dead))).toEqual(['a'])
  })

  test('a copy made just before a kill is found, and not made again', async () => {
    const stand = await opened()
    await exhaust(stand)
    stand.visible.isHeld = true
    await stand.receive({ invisibleMs: 1000 })
    await stand.clock.settle()
    stand.kill()
    await stand.boot()
    stand.servingEpoch = 2
    await stand.clock.advance(2000)
    expect(bodies(await stand.receive())).toEqual(['b'])
    expect(stand.store.queue('%DLQ%billing', 0)?.maxOffset).toBe(1)
    expect(stand.metadata.progress.queue('billing', 'orders', 0).isAcked(0)).toBe(true)
  })
})

describe('a consumer that gives up', () => {
  test('moves the message at once; doing so again is OK and makes no second copy', async () => {
    const stand = await opened()
    const message = await one(stand)
    await stand.messaging.forwardToDeadLetter(message.receiptHandle, stand.context())
    await stand.clock.settle()
    await stand.messaging.forwardToDeadLetter(message.receiptHandle, stand.context())
    await stand.clock.advance(60_000)
    expect(bodies(await stand.receive(dead))).toEqual(['a'])
    expect(bodies(await stand.receive())).toEqual(['b'])
  })

  test('is told to try again where nothing can be written', async () => {
    const stand = await opened()
    const message = await one(stand)
    stand.writingAllowed = false
    const forwarded = stand.messaging.forwardToDeadLetter(message.receiptHandle, stand.context())
    expect(await refusal(forwarded)).toBe('UNAVAILABLE')
    expect(await stand.ack(message)).toBe('OK')
  })

  test('an orderly queue goes on with the next message', async () => {
    const stand = await opened()
    stand.group('strict', { orderly: true })
    const [message] = await stand.receive({ group: 'strict', batchSize: 1 })
    if (!message) throw new Error('nothing was received')
    const poll = stand.poll({ group: 'strict' })
    await stand.messaging.forwardToDeadLetter(message.receiptHandle, stand.context())
    expect(bodies((await stand.clock.outcome(poll)).messages)).toEqual(['b'])
  })

  test('one of an orderly queue that cannot be moved now does not bring back what was acknowledged behind it', async () => {
    const stand = await opened()
    stand.group('strict', { orderly: true, retryMaxTimes: 0 })
    const strict = { group: 'strict', batchSize: 1 }
    const [first] = await stand.receive(strict)
    if (!first) throw new Error('nothing was received')
    await stand.nack(first, 0)
    stand.writingAllowed = false
    const [next] = await stand.receive(strict)
    if (!next) throw new Error('nothing was received')
    expect(bodies([next])).toEqual(['b'])
    await stand.ack(next, {}, 'strict')
    expect(await stand.receive(strict)).toEqual([])
  })
})

test('a mark survives its text, whatever the topic is called, and rubbish is no mark', () => {
  const mark = { topic: 'a@b%c', queueId: 3, queueOffset: 12, physicalOffset: 2 ** 45 }
  expect(deadLetterMarkOf(pair('__TMQ_DEAD_LETTER_OF', deadLetterMark(mark)))).toEqual(mark)
  for (const text of ['', '1@2@3', '1@2@x@t', '@@@', `${'9'.repeat(40)}@1@1@t`]) {
    expect(deadLetterMarkOf(pair('__TMQ_DEAD_LETTER_OF', text))).toBeUndefined()
  }
})
