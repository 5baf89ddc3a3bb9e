import { silentMeter } from '@tandemmq/base'
import { RecordingMeter } from '@tandemmq/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import { MessageMetrics } from './message-metrics.ts'
import { Stand } from './stand.test-kit.ts'

const SOLD = { topic: 'orders', consumer_group: 'billing' }
const LAGS = ['lag', 'inflight', 'ready'] as const

let stand: Stand

beforeEach(async () => {
  stand = await Stand.open()
  stand.topic('orders', { queues: 2 })
  stand.group('billing')
})

/** Messages that are not acknowledged, with consumers, and waiting. */
function lags(): readonly (number | undefined)[] {
  return LAGS.map((which) => stand.meter.value(`rocketmq_consumer_${which}_messages`, SOLD))
}

describe('how far consumers are', () => {
  test('follows each message from its store to its acknowledgement', async () => {
    await stand.sendAll('a', 'b', 'c')
    const [first, ...others] = await stand.receive({ batchSize: 2 })
    expect(lags()).toEqual([3, 2, 1])
    await stand.clock.advance(1_000)
    for (const message of first === undefined ? [] : [first]) await stand.ack(message)
    expect(lags()).toEqual([2, 1, 1])
    // What was not acknowledged in time waits again.
    await stand.clock.advance(10_000)
    expect(lags()).toEqual([2, 0, 2])
    for (const message of [...others, ...(await stand.receive())]) await stand.ack(message)
    await stand.clock.advance(1_000)
    expect(lags()).toEqual([0, 0, 0])
  })

  test('has an age: of the oldest that is not acknowledged, and of the oldest that waits', async () => {
    await stand.send()
    await stand.clock.advance(3_000)
    await stand.send()
    await stand.receive({ batchSize: 1 })
    await stand.clock.advance(500)
    expect(stand.meter.value('rocketmq_consumer_lag_latency', SOLD)).toBeGreaterThanOrEqual(3_500)
    const queueing = stand.meter.value('rocketmq_consumer_queueing_latency', SOLD)
    expect(queueing).toBeGreaterThanOrEqual(500)
    expect(queueing).toBeLessThan(3_500)
  })

  test('is said of a group that has never got anything, and by nobody who does not serve', async () => {
    const poll = stand.poll()
    await stand.clock.settle()
    expect(lags()).toEqual([0, 0, 0])
    await stand.send()
    await poll
    await stand.clock.advance(1_000)
    expect(lags()).toEqual([1, 1, 0])
    stand.servingEpoch = 0
    expect(stand.meter.readings('rocketmq_consumer_lag_messages')).toEqual([])
  })
})

describe('messages are counted', () => {
  test('as they come in, go out, and wait for their time', async () => {
    await stand.send({ body: Buffer.alloc(100) })
    await stand.send({ type: 'DELAY', deliveryTimestamp: stand.clock.now() + 5_000 })
    await stand.receive()
    const { meter } = stand
    expect(meter.value('rocketmq_messages_in_total', { topic: 'orders', message_type: 'normal' })).toBe(1)
    expect(meter.value('rocketmq_messages_in_total', { topic: 'orders', message_type: 'delay' })).toBe(1)
    expect(meter.value('rocketmq_message_size', { message_type: 'normal' })).toBe(1)
    expect(meter.value('rocketmq_messages_out_total', SOLD)).toBe(1)
    expect(meter.value('rocketmq_throughput_out_total', SOLD)).toBe(
      meter.value('rocketmq_throughput_in_total', { message_type: 'normal' }),
    )
    expect(meter.value('rocketmq_throughput_out_total', SOLD)).toBeGreaterThan(100)
    expect(meter.value('rocketmq_timer_enqueue_total', { topic: 'orders' })).toBe(1)
  })

  test('under their topic for the first ten thousand, together after that', () => {
    const meter = new RecordingMeter()
    const metrics = new MessageMetrics({ ...silentMeter, total: meter.total.bind(meter) })
    for (let topic = 0; topic < 10_005; topic += 1) metrics.stored(`t${topic}`, 'NORMAL', 1)
    expect(meter.readings('rocketmq_messages_in_total')).toHaveLength(10_001)
    expect(meter.value('rocketmq_messages_in_total', { topic: '(others)' })).toBe(5)
    expect(meter.value('rocketmq_messages_in_total', { topic: 't9999' })).toBe(1)
  })
})
