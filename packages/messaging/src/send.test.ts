import { describe, expect, test } from 'vitest'
import { BrokerError } from '@tandemmq/base'
import { decodeProperties } from '@tandemmq/codec'
import type { OutgoingMessage, SendStatus } from './api.ts'
import { consistentHash } from './consistent-hash.ts'
import { Stand, refusal } from './stand.test-kit.ts'

async function opened(): Promise<Stand> {
  const stand = await Stand.open()
  stand.topic('orders')
  stand.group('billing')
  return stand
}

describe('the record', () => {
  test('holds what Apache stores for a message that came over gRPC', async () => {
    const stand = await opened()
    const receipt = await stand.send({
      messageId: '01HAND348221664434',
      body: Buffer.from('hello'),
      tag: 'G',
      keys: ['g1', 'g2'],
      userProperties: new Map([
        ['größe', 'naïve 🚲'],
        ['empty', ''],
      ]),
      messageGroup: 'user-0',
      type: 'FIFO',
      bornTimestamp: 1_795_364_928_885,
      traceContext: 'trace',
      compressed: true,
    })
    const record = stand.store.record(receipt.offset)
    expect(record).toMatchObject({
      topic: 'orders',
      reconsumeTimes: 0,
      flag: 0,
      bornTimestamp: 1_795_364_928_885,
    })
    expect(record.sysFlag & 0x1).toBe(1)
    expect(record.bornHost).toEqual({ ip: '10.0.0.1', port: 0 })
    expect(Object.fromEntries(decodeProperties(record.properties))).toEqual({
      MSG_REGION: 'DefaultRegion',
      CLUSTER: 'c',
      TRACE_ON: 'true',
      UNIQ_KEY: '01HAND348221664434',
      PGROUP: 'orders',
      TAGS: 'G',
      KEYS: 'g1 g2',
      __SHARDINGKEY: 'user-0',
      TRACE_CONTEXT: 'trace',
      __BORNHOST: '10.0.0.1',
      BORN_TIMESTAMP: '1795364928885',
      größe: 'naïve 🚲',
    })
  })

  test('names the peer as born host where the client names its machine and not its address', async () => {
    const stand = await opened()
    const { offset } = await stand.send({ bornHost: { ip: 'vm', port: 0 } })
    const record = stand.store.record(offset)
    expect(record.bornHost.ip).toBe('10.0.0.9')
    expect(decodeProperties(record.properties).get('__BORNHOST')).toBe('vm')
  })
})

describe('the queue', () => {
  test('messages take turns over the write queues', async () => {
    const stand = await opened()
    const queues: number[] = []
    for (let index = 0; index < 8; index += 1) queues.push((await stand.send()).queueId)
    expect(queues).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
  })

  test('a message group always gets the same queue, on every broker', async () => {
    const [one, other] = [await opened(), await opened()]
    await other.send()
    for (const messageGroup of ['user-0', 'user-1', 'a', 'ä']) {
      const fifo = { type: 'FIFO', messageGroup } as const
      const { queueId } = await one.send(fifo)
      expect((await one.send(fifo)).queueId).toBe(queueId)
      expect((await other.send(fifo)).queueId).toBe(queueId)
    }
  })

  test("the hash is Guava's", () => {
    // Values of Guava's own HashingTest.
    expect(consistentHash(10_863_919_174_838_991n, 11)).toBe(6)
    expect(consistentHash(2_016_238_256_797_177_309n, 11)).toBe(3)
    expect(consistentHash(1_673_758_223_894_951_030n, 11)).toBe(5)
  })

  test('with one more bucket few hashes move, and those that do move into it', () => {
    let moved = 0
    for (let hash = -5000; hash < 5000; hash += 1) {
      const before = consistentHash(hash * 7919, 8)
      const after = consistentHash(hash * 7919, 9)
      if (before === after) continue
      expect(after).toBe(8)
      moved += 1
    }
    expect(moved).toBeGreaterThan(800)
    expect(moved).toBeLessThan(1500)
  })
})

describe('refusals', () => {
  const cases: readonly [string, Partial<OutgoingMessage>][] = [
    ['message-id', { messageId: ' ' }],
    ['body-empty', { body: Buffer.alloc(0) }],
    ['body-size', { body: Buffer.alloc(4 * 1024 * 1024 + 1) }],
    ['tag', { tag: ' ' }],
    ['tag', { tag: 'a|b' }],
    ['tag', { tag: 'a\u0002b' }],
    ['keys', { keys: ['ok', ''] }],
    ['keys', { keys: ['a\u0001b'] }],
    ['message-group', { messageGroup: 'x'.repeat(64), type: 'FIFO' }],
    ['message-group', { messageGroup: 'ä'.repeat(32), type: 'FIFO' }],
    ['property', { userProperties: new Map([['a', 'b\u0002TAGS\u0001x']]) }],
    ['property', { userProperties: new Map([['', 'b']]) }],
    ['property', { traceContext: '\u0001' }],
    [
      'properties-size',
      { userProperties: new Map(Array.from({ length: 129 }, (_, index) => [`p${index}`, '1'])) },
    ],
    ['properties-size', { userProperties: new Map([['a', 'x'.repeat(16 * 1024)]]) }],
    ['properties-size', { traceContext: 'x'.repeat(33_000) }],
    ['delivery-time', { deliveryTimestamp: Date.UTC(2030, 0, 1), type: 'DELAY' }],
    ['delivery-time', { deliveryTimestamp: Number.NaN, type: 'DELAY' }],
  ]
  test.each(cases)('%s', async (rule, fields) => {
    const stand = await opened()
    const { end } = stand.store
    const sent = stand.messaging.send(stand.message(fields), stand.context())
    await expect(sent).rejects.toMatchObject({ code: 'MESSAGE_ILLEGAL', facts: { rule } })
    expect(stand.store.end).toBe(end)
  })

  test('the limits themselves are allowed', async () => {
    const stand = await opened()
    await stand.send({ messageGroup: 'x'.repeat(63), type: 'FIFO' })
    await stand.send({ userProperties: new Map([['a', 'x'.repeat(16 * 1024 - 1)]]) })
    await stand.send({ deliveryTimestamp: stand.clock.now() + 259_200_000, type: 'DELAY' })
  })

  test('a topic takes its own type of message only, an unwritable one none, an unknown one neither', async () => {
    const stand = await opened()
    stand.topic('normal', { type: 'NORMAL' })
    stand.topic('read-only', { perm: 4 })
    await stand.send({ topic: 'normal' })
    const fifo = stand.message({ topic: 'normal', type: 'FIFO', messageGroup: 'g' })
    await expect(stand.messaging.send(fifo, stand.context())).rejects.toMatchObject({
      facts: { rule: 'message-type' },
    })
    const unwritable = stand.messaging.send(stand.message({ topic: 'read-only' }), stand.context())
    await expect(unwritable).rejects.toMatchObject({ code: 'NOT_WRITABLE', facts: { topic: 'read-only' } })
    expect(await refusal(stand.send({ topic: 'nowhere' }))).toBe('TOPIC_NOT_FOUND')
  })
})

describe('what OK means', () => {
  test('rule 6.2: with too few replicas nothing is stored', async () => {
    const stand = await opened()
    stand.admit = () => {
      throw new BrokerError('IN_SYNC_REPLICAS_NOT_ENOUGH', 'too few')
    }
    const { end } = stand.store
    expect(await refusal(stand.send())).toBe('IN_SYNC_REPLICAS_NOT_ENOUGH')
    expect(stand.store.end).toBe(end)
  })

  test('the answer waits for the promise of the mode, and passes the deadline on', async () => {
    const stand = await opened()
    const waits: unknown[] = []
    const { promise, resolve } = Promise.withResolvers<SendStatus>()
    stand.confirm = (end, deadline) => {
      waits.push([end, deadline])
      return promise
    }
    let answered = false
    const sent = stand.messaging.send(stand.message(), stand.context({ deadline: 3000 })).then((receipt) => {
      answered = true
      return receipt
    })
    await stand.clock.settle()
    expect(waits).toEqual([[stand.store.end, 3000]])
    expect(answered).toBe(false)
    resolve('FLUSH_SLAVE_TIMEOUT')
    expect(await sent).toMatchObject({ status: 'FLUSH_SLAVE_TIMEOUT', queueOffset: 0 })
  })

  test('the offset is taken in the same tick as the call: sends keep their order', async () => {
    const stand = await opened()
    stand.topic('line', { queues: 1 })
    const sends = ['a', 'b', 'c'].map((body) =>
      stand.messaging.send(stand.message({ topic: 'line', body: Buffer.from(body) }), stand.context()),
    )
    const receipts = await Promise.all(sends)
    expect(receipts.map((receipt) => receipt.queueOffset)).toEqual([0, 1, 2])
  })
})
