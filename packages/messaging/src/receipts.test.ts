import { createSecretKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { encodeReceiptHandle, openReceiptHandle } from '@tandemmq/codec'
import type { DeliveredMessage } from './api.ts'
import { Stand, bodies, refusal } from './stand.test-kit.ts'

const KEY = createSecretKey(Buffer.alloc(32, 7))

async function opened(): Promise<Stand> {
  const stand = await Stand.open()
  stand.topic('orders', { queues: 1 })
  stand.group('billing')
  return stand
}

async function one(stand: Stand, fields: Parameters<Stand['receive']>[0] = {}): Promise<DeliveredMessage> {
  const [message] = await stand.receive(fields)
  if (!message) throw new Error('nothing was received')
  return message
}

describe('ack', () => {
  test('settles a message for good; a second ack of the same handle is OK', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    const message = await one(stand)
    expect(await stand.ack(message)).toBe('OK')
    expect(await stand.ack(message)).toBe('OK')
    await stand.clock.advance(60_000)
    expect(await stand.receive()).toEqual([])
  })

  test('an expired handle is refused, to the millisecond of its lease', async () => {
    const stand = await opened()
    await stand.sendAll('a', 'b')
    const early = await one(stand, { batchSize: 1 })
    const late = await one(stand, { batchSize: 1 })
    await stand.clock.advance(9_999)
    expect(await stand.ack(early)).toBe('OK')
    await stand.clock.advance(1)
    expect(await stand.ack(late)).toBe('RECEIPT_HANDLE_INVALID')
  })

  test('a handle that a newer delivery has replaced is refused', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    const first = await one(stand)
    await stand.nack(first, 0)
    const second = await one(stand)
    expect(await stand.ack(first)).toBe('RECEIPT_HANDLE_INVALID')
    expect(await stand.ack(second)).toBe('OK')
  })

  test('answers each entry of a call, in order', async () => {
    const stand = await opened()
    await stand.sendAll('a', 'b')
    const [a, b] = await stand.receive()
    if (!a || !b) throw new Error('nothing was received')
    const entries = [a.receiptHandle, 'rubbish', b.receiptHandle].map((receiptHandle) => ({
      receiptHandle,
      messageId: 'x',
    }))
    const statuses = await stand.messaging.ack('billing', 'orders', entries, stand.context())
    expect(statuses).toEqual(['OK', 'RECEIPT_HANDLE_INVALID', 'OK'])
    expect(stand.metadata.progress.queue('billing', 'orders', 0).floor).toBe(2)
  })

  test('a handle of another group or topic, or one that was altered, settles nothing', async () => {
    const stand = await opened()
    stand.group('audit')
    await stand.sendAll('a')
    const message = await one(stand)
    expect(await stand.ack(message, {}, 'audit')).toBe('RECEIPT_HANDLE_INVALID')
    const { receiptHandle } = message
    const altered = `${receiptHandle.slice(0, 12)}${receiptHandle[12] === 'A' ? 'B' : 'A'}${receiptHandle.slice(13)}`
    expect(await stand.ack({ ...message, receiptHandle: altered })).toBe('RECEIPT_HANDLE_INVALID')
    expect(stand.metadata.progress.queue('billing', 'orders', 0).floor).toBe(0)
  })

  test('rule 5.2: a handle for a record that is not in this log is dropped', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    const message = await one(stand)
    const handle = openReceiptHandle(message.receiptHandle, KEY)
    const stamp = { ...handle.stamp, logEpoch: handle.stamp.logEpoch + 1 }
    const foreign = encodeReceiptHandle({ ...handle, stamp }, KEY)
    expect(await stand.ack({ ...message, receiptHandle: foreign })).toBe('RECEIPT_HANDLE_INVALID')
  })

  test('rule 5.7: a delivery by another broker of the set, unknown here, can be acknowledged within its time and one second', async () => {
    const stand = await opened()
    await stand.sendAll('a', 'b')
    const message = await one(stand, { group: 'auto-other', batchSize: 1 })
    const foreign = {
      ...openReceiptHandle(message.receiptHandle, KEY),
      group: 'billing',
      deliveredAt: stand.clock.now(),
      invisibleMs: 10_000,
    }
    await stand.clock.advance(10_900)
    expect(await stand.ack({ ...message, receiptHandle: encodeReceiptHandle(foreign, KEY) })).toBe('OK')
    const tooOld = encodeReceiptHandle({ ...foreign, deliveredAt: foreign.deliveredAt - 500 }, KEY)
    stand.metadata.commit({
      kind: 'reset',
      group: 'billing',
      topic: 'orders',
      queueId: 0,
      to: 0,
      generation: { servingEpoch: 2, counter: 1 },
    })
    expect(await stand.ack({ ...message, receiptHandle: tooOld })).toBe('RECEIPT_HANDLE_INVALID')
  })

  test('rule 5.2: an ack for a record whose bytes have not come here yet counts', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    const message = await one(stand)
    const handle = openReceiptHandle(message.receiptHandle, KEY)
    const ahead = { ...handle, queueOffset: 1, stamp: { ...handle.stamp, physicalOffset: stand.store.end } }
    expect(await stand.ack({ ...message, receiptHandle: encodeReceiptHandle(ahead, KEY) })).toBe('OK')
    await stand.sendAll('b')
    expect(await stand.receive()).toEqual([])
  })
})

describe('change of invisibility', () => {
  test('gives a new handle, and the message again when the new time is over', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    const message = await one(stand)
    const handle = await stand.nack(message, 30_000)
    expect(handle).not.toBe(message.receiptHandle)
    await stand.clock.advance(29_000)
    expect(await stand.receive()).toEqual([])
    expect(await stand.ack({ ...message, receiptHandle: handle })).toBe('OK')
  })

  test('zero makes the message visible at once, to those who wait too', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    const message = await one(stand)
    const poll = stand.poll()
    await stand.clock.settle()
    const at = stand.clock.monotonic()
    await stand.nack(message, 0)
    const answer = await stand.clock.outcome(poll)
    expect(answer.messages[0]?.attempt).toBe(2)
    expect(stand.clock.monotonic()).toBe(at)
  })

  test('the old handle still acknowledges while its own time lasts', async () => {
    const stand = await opened()
    await stand.sendAll('a', 'b')
    const first = await one(stand, { batchSize: 1 })
    await stand.clock.advance(10)
    await stand.nack(first, 60_000)
    expect(await stand.ack(first)).toBe('OK')
    const second = await one(stand)
    await stand.clock.advance(10)
    await stand.nack(second, 60_000)
    await stand.clock.advance(10_000)
    expect(await stand.ack(second)).toBe('RECEIPT_HANDLE_INVALID')
  })

  test('an expired, acknowledged or replaced handle is refused, and so are times out of range', async () => {
    const stand = await opened()
    await stand.sendAll('a', 'b')
    const acked = await one(stand, { batchSize: 1 })
    await stand.ack(acked)
    expect(await refusal(stand.nack(acked, 1000))).toBe('RECEIPT_HANDLE_INVALID')
    const expired = await one(stand)
    expect(await refusal(stand.nack(expired, -1))).toBe('ILLEGAL_ARGUMENT')
    expect(await refusal(stand.nack(expired, 12 * 3_600_000 + 1))).toBe('ILLEGAL_ARGUMENT')
    await stand.clock.advance(10_000)
    expect(await refusal(stand.nack(expired, 1000))).toBe('RECEIPT_HANDLE_INVALID')
  })
})

describe('auto-renew', () => {
  const auto = { autoRenew: true, invisibleMs: 10 } as const

  test('keeps a message with its client for hours, and the first handle good', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    const message = await one(stand, auto)
    for (let minute = 0; minute < 120; minute += 1) {
      await stand.clock.advance(60_000)
      expect(await stand.receive({}, { clientId: 'other' })).toEqual([])
    }
    expect(await stand.ack(message)).toBe('OK')
    expect(await stand.receive()).toEqual([])
  })

  test('gives it up after three hours', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    await one(stand, auto)
    await stand.clock.advance(3 * 3_600_000 - 1000)
    expect(await stand.receive({}, { clientId: 'other' })).toEqual([])
    await stand.clock.advance(61_000)
    expect(await stand.receive({}, { clientId: 'other' })).toHaveLength(1)
  })

  test('gives what a client held to others within a second of its leaving, and only that', async () => {
    const stand = await opened()
    await stand.sendAll('a', 'b')
    const [a] = await stand.receive({ ...auto, batchSize: 1 }, { clientId: 'leaving' })
    const [b] = await stand.receive({ ...auto, batchSize: 1 }, { clientId: 'staying' })
    if (!a || !b) throw new Error('nothing was received')
    await stand.clock.advance(5000)
    const poll = stand.poll({}, { clientId: 'staying' })
    stand.messaging.clientGone('leaving', 'billing')
    const at = stand.clock.monotonic()
    const answer = await stand.clock.outcome(poll)
    expect(bodies(answer.messages)).toEqual(bodies([a]))
    expect(stand.clock.monotonic() - at).toBeLessThanOrEqual(1000)
    expect(await stand.ack(b, { clientId: 'staying' })).toBe('OK')
  })

  test('ends with a change of invisibility: then the client decides', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    const message = await one(stand, auto)
    await stand.nack(message, 5000)
    await stand.clock.advance(4999)
    expect(await stand.receive()).toEqual([])
    await stand.clock.advance(1)
    expect(await stand.receive()).toHaveLength(1)
  })

  test('is not prolonged by a broker that has lost the token', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    await one(stand, auto)
    stand.servingEpoch = 0
    await stand.clock.advance(60_000)
    stand.servingEpoch = 2
    expect(await stand.receive({}, { clientId: 'other' })).toHaveLength(1)
  })

  test('leaves no timer behind once everything is acknowledged', async () => {
    const stand = await opened()
    await stand.clock.advance(60_000)
    const idle = stand.clock.pending
    await stand.sendAll('a')
    const message = await one(stand, auto)
    await stand.ack(message)
    await stand.clock.advance(60_000)
    expect(stand.clock.pending).toBe(idle)
  })

  test('rule 5.7: after a move of serving the client that is still there can acknowledge, however late', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    const message = await one(stand, auto)
    await stand.clock.advance(30_000)
    stand.kill()
    await stand.boot()
    stand.servingEpoch = 2
    void stand
      .poll({ ...auto, pollMs: 200_000, topic: 'orders' }, { clientId: 'client-1' })
      .catch(() => undefined)
    await stand.clock.advance(20_000)
    expect(await stand.ack(message)).toBe('OK')
  })
})

async function ordered(): Promise<Stand> {
  const stand = await opened()
  stand.group('strict', { orderly: true })
  await stand.sendAll('1', '2', '3', '4')
  return stand
}

describe('order', () => {
  const strict = { group: 'strict', batchSize: 2 }

  test('a queue is closed while a batch of it is being consumed', async () => {
    const stand = await ordered()
    const [first, second] = await stand.receive(strict)
    if (!first || !second) throw new Error('nothing was received')
    expect(await stand.receive(strict)).toEqual([])
    await stand.ack(first, {}, 'strict')
    expect(await stand.receive(strict)).toEqual([])
    const poll = stand.poll(strict)
    await stand.ack(second, {}, 'strict')
    expect(bodies((await stand.clock.outcome(poll)).messages)).toEqual(['3', '4'])
  })

  test('delivery starts over at the first unacknowledged message, acknowledged ones of the batch included', async () => {
    const stand = await ordered()
    const [, second] = await stand.receive(strict)
    if (!second) throw new Error('nothing was received')
    await stand.ack(second, {}, 'strict')
    await stand.clock.advance(10_000)
    const again = await stand.receive(strict)
    expect(bodies(again)).toEqual(['1', '2'])
    expect(again[0]?.attempt).toBe(2)
  })

  test('the attempt that took a batch gets the same batch again, not counted as a delivery', async () => {
    const stand = await ordered()
    const first = await stand.receive({ ...strict, attemptId: 'one' })
    const again = await stand.receive({ ...strict, batchSize: 32, attemptId: 'one' })
    expect(bodies(again)).toEqual(bodies(first))
    expect(again.map((message) => message.attempt)).toEqual([1, 1])
    expect(await stand.receive({ ...strict, attemptId: 'two' })).toEqual([])
  })

  test('a nack keeps the queue closed until its time is over; then the same message comes first', async () => {
    const stand = await ordered()
    const [only] = await stand.receive({ ...strict, batchSize: 1 })
    if (!only) throw new Error('nothing was received')
    await stand.nack(only, 3000)
    await stand.clock.advance(2999)
    expect(await stand.receive(strict)).toEqual([])
    await stand.clock.advance(1)
    expect(bodies(await stand.receive(strict))).toEqual(['1', '2'])
  })

  test('rule 5.7: a stale ack is answered OK and ignored', async () => {
    const stand = await ordered()
    const [first] = await stand.receive({ ...strict, batchSize: 1, invisibleMs: 60_000 })
    if (!first) throw new Error('nothing was received')
    await stand.nack(first, 0)
    await stand.receive({ ...strict, batchSize: 1 })
    expect(await stand.ack(first, {}, 'strict')).toBe('OK')
    expect(stand.metadata.progress.queue('strict', 'orders', 0).floor).toBe(0)
  })

  test('a queue stays closed over a restart until the lease ends', async () => {
    const stand = await ordered()
    await stand.receive(strict)
    stand.kill()
    await stand.boot()
    stand.servingEpoch = 2
    expect(await stand.receive(strict)).toEqual([])
    const answer = await stand.clock.outcome(stand.poll(strict))
    expect(bodies(answer.messages)).toEqual(['1', '2'])
  })

  test('a group without order is not held up, even where all messages are of one message group', async () => {
    const stand = await opened()
    for (const body of ['1', '2'])
      await stand.send({ body: Buffer.from(body), type: 'FIFO', messageGroup: 'g' })
    expect(bodies(await stand.receive({ batchSize: 1 }))).toEqual(['1'])
    expect(bodies(await stand.receive({ batchSize: 1 }))).toEqual(['2'])
  })
})
