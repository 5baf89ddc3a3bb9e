import { deflateSync, gzipSync } from 'node:zlib'
import { rocketmq } from '@tandemmq/rpc'
import { describe, expect, test } from 'vitest'
import { propertiesOf, recordOf } from '../memory-messaging.test-support.ts'
import { deliveredMessage } from './delivered-message.ts'
import { filterExpression } from './filter-expression.ts'
import { isNodeUpTo108 } from './node-client.ts'
import { outgoingMessage } from './outgoing-message.ts'
import { pollingTimeMs } from './polling-time.ts'
import { isHiddenProperty, isReservedProperty } from './reserved-properties.ts'
import { groupName, topicName } from './resource-names.ts'

const { Code, Encoding, FilterType, MessageType } = rocketmq
const peer = { ip: '10.0.0.1', port: 1 }
const NOW = 1_700_000_000_000

function published(system: Partial<rocketmq.SystemProperties>, properties: readonly [string, string][] = []) {
  const message = {
    topic: { resourceNamespace: '', name: 'Orders' },
    userProperties: new Map(properties),
    systemProperties: rocketmq.SystemProperties.create({ messageId: 'm1', ...system }),
    body: Buffer.from('x'),
  }
  return outgoingMessage(message, NOW, peer)
}

function refusal(act: () => unknown): number | undefined {
  try {
    act()
    return undefined
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown ? Number(thrown.code) : -1
  }
}

describe('the type of a message follows from its content', () => {
  test.each([
    [{}, 'NORMAL'],
    [{ messageType: MessageType.FIFO }, 'NORMAL'],
    [{ messageGroup: 'g' }, 'FIFO'],
    [{ messageGroup: 'g', deliveryTimestamp: new Date(NOW) }, 'DELAY'],
    [{ messageGroup: 'g', messageType: MessageType.TRANSACTION }, 'TRANSACTION'],
  ])('%o is %s', (system, type) => {
    expect(published(system).type).toBe(type)
  })
})

test('a birth at a time that no clock shows is now', () => {
  expect(published({ bornTimestamp: new Date(Number.NaN) }).bornTimestamp).toBe(NOW)
  expect(published({ bornTimestamp: new Date(NOW - 5) }).bornTimestamp).toBe(NOW - 5)
})

describe('limits', () => {
  test.each<[string, Partial<rocketmq.SystemProperties>, number | undefined]>([
    ['a message group of 63 bytes', { messageGroup: 'g'.repeat(63) }, undefined],
    ['a message group of 64 bytes', { messageGroup: 'é'.repeat(32) }, Code.ILLEGAL_MESSAGE_GROUP],
    ['a tag with a line feed', { tag: 'a\nb' }, Code.ILLEGAL_MESSAGE_TAG],
    ['a key with a control character', { keys: ['a\u0085'] }, Code.ILLEGAL_MESSAGE_KEY],
    ['24 h ahead', { deliveryTimestamp: new Date(NOW + 86_400_000) }, undefined],
    ['more than 24 h ahead', { deliveryTimestamp: new Date(NOW + 86_400_001) }, Code.ILLEGAL_DELIVERY_TIME],
    ['a time in the past', { deliveryTimestamp: new Date(NOW - 1) }, undefined],
    ['no message id', { messageId: '  ' }, Code.ILLEGAL_MESSAGE_ID],
    ['an hour of recovery', { orphanedTransactionRecoveryDuration: { seconds: 3600, nanos: 0 } }, undefined],
    [
      'more than an hour of recovery',
      { orphanedTransactionRecoveryDuration: { seconds: 3601, nanos: 0 } },
      Code.BAD_REQUEST,
    ],
  ])('%s', (_what, system, code) => {
    expect(refusal(() => published(system))).toBe(code)
  })

  test('names of the system are refused; those that clients rely on seeing are not hidden', () => {
    expect(refusal(() => published({}, [['UNIQ_KEY', 'x']]))).toBe(Code.ILLEGAL_MESSAGE_PROPERTY_KEY)
    expect(refusal(() => published({}, [['__TMQ_SCHEDULED', 'x']]))).toBe(Code.ILLEGAL_MESSAGE_PROPERTY_KEY)
    expect(refusal(() => published({}, [['__SHARDINGKEY', 'x']]))).toBeUndefined()
    expect(['__SHARDINGKEY', '__transactionId__', 'TRACE_CONTEXT'].filter(isHiddenProperty)).toEqual([])
    expect(['__TMQ_SCHEDULED', 'ORIGIN_GROUP', '__CRC32#'].filter(isHiddenProperty)).toHaveLength(3)
    expect(isReservedProperty('ORIGIN_GROUP')).toBe(false)
  })

  test.each<[string, number | undefined]>([
    ['t'.repeat(127), undefined],
    ['t'.repeat(128), Code.ILLEGAL_TOPIC],
    ['%DLQ%group', undefined],
    ['a.b', Code.ILLEGAL_TOPIC],
    ['a/b', Code.ILLEGAL_TOPIC],
    ['rmq_sys_wheel_timer', Code.ILLEGAL_TOPIC],
    ['TBW102', Code.ILLEGAL_TOPIC],
  ])('topic %s', (name, code) => {
    expect(refusal(() => topicName({ resourceNamespace: '', name }))).toBe(code)
  })

  test.each<[string, number | undefined]>([
    ['g'.repeat(120), undefined],
    ['g'.repeat(121), Code.ILLEGAL_CONSUMER_GROUP],
    ['', Code.ILLEGAL_CONSUMER_GROUP],
    ['CID_RMQ_SYS_TRANS', Code.ILLEGAL_CONSUMER_GROUP],
  ])('group %s', (name, code) => {
    expect(refusal(() => groupName({ resourceNamespace: '', name }))).toBe(code)
  })
})

describe('polling time', () => {
  test.each([
    [10_000, 13_000, 10_000],
    [30_000, 33_000, 20_000], // No longer than 20 s.
    [1_000, 30_000, 5_000], // No shorter than 5 s …
    [1_000, 4_000, 3_700], // … but always less than the client waits.
    [20_000, 200, 0],
    [20_000, Number.POSITIVE_INFINITY, 20_000],
  ])('asked for %i ms with %i ms left: %i ms', (asked, remaining, expected) => {
    expect(pollingTimeMs({ seconds: asked / 1000, nanos: 0 }, remaining)).toBe(expected)
  })

  test('without a wish it follows the deadline', () => {
    expect(pollingTimeMs(undefined, 9_300)).toBe(9_000)
    expect(pollingTimeMs(undefined, Number.POSITIVE_INFINITY)).toBe(20_000)
  })
})

function tag(expression: string) {
  return filterExpression({ type: FilterType.TAG, expression })
}

describe('filters', () => {
  test('everything, some tags, nothing usable', () => {
    expect([filterExpression(undefined), tag(''), tag(' * ')]).toEqual([
      { kind: 'all' },
      { kind: 'all' },
      { kind: 'all' },
    ])
    expect(tag('a || b||c ')).toEqual({ kind: 'tags', tags: new Set(['a', 'b', 'c']) })
    expect(refusal(() => tag(' || '))).toBe(Code.ILLEGAL_FILTER_EXPRESSION)
    expect(refusal(() => filterExpression({ type: FilterType.SQL, expression: 'a > 1' }))).toBe(
      Code.INTERNAL_SERVER_ERROR,
    )
  })
})

function delivered(body: Buffer, compressed: boolean) {
  const message = { ...published({}), body, compressed }
  const record = recordOf(message, 5, NOW)
  return deliveredMessage({
    record,
    properties: propertiesOf(message),
    topic: 'Orders',
    receiptHandle: 'h',
    attempt: 2,
  })
}

describe('delivered bodies', () => {
  test('zlib data that a client called GZIP is inflated, gzip stays, and the digest is that of the bytes sent', () => {
    const zlib = delivered(deflateSync('hello'), true)
    expect(Buffer.from(zlib.body).toString()).toBe('hello')
    expect(zlib.systemProperties?.bodyEncoding).toBe(Encoding.IDENTITY)
    expect(zlib.systemProperties?.bodyDigest?.checksum).toBe('5D41402ABC4B2A76B9719D911017C592')
    const gzip = delivered(gzipSync('hello'), true)
    expect(gzip.systemProperties?.bodyEncoding).toBe(Encoding.GZIP)
    const broken = delivered(Buffer.from('x is 0x78'), true)
    expect(broken.systemProperties?.bodyEncoding).toBe(Encoding.GZIP)
  })

  test('every field that some client cannot do without is there', () => {
    const { systemProperties } = delivered(Buffer.from('x'), false)
    expect(systemProperties).toMatchObject({
      messageId: 'm1',
      bodyEncoding: Encoding.IDENTITY,
      bornHost: '10.0.0.1',
      bornTimestamp: new Date(NOW),
      storeTimestamp: new Date(NOW),
      storeHost: '10.2.2.2:10911',
      deliveryAttempt: 2,
      queueOffset: 5,
      receiptHandle: 'h',
    })
  })
})

test.each([
  ['HTTP', '1.0.8', true],
  ['HTTP', '1.0.0', true],
  ['HTTP', '0.9.12', true],
  ['HTTP', '1.0.9', false],
  ['HTTP', '1.0.10', false],
  ['HTTP', '1.1.0', false],
  ['NODE_JS', '1.0.8', true],
  ['HTTP', 'next', false],
  ['JAVA', '1.0.8', false],
])('%s %s has the arithmetic of old Node clients: %s', (language, clientVersion, expected) => {
  expect(isNodeUpTo108({ language, clientVersion })).toBe(expected)
})
