import { encodeProperties } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import type { BatchToAppend, MessageStore, MessageToAppend } from './index.ts'
import { StoreBench, message } from './store-bench.test-kit.ts'

const BODY_MAX = 4096

function opened(propertyCrc = false): Promise<MessageStore> {
  return new StoreBench({ segmentBytes: 2 ** 20, maxMessageBytes: BODY_MAX, propertyCrc }).openMaster()
}

/** Properties of exactly so many bytes, in characters of as many bytes as `unit` has. */
function propertiesOf(bytes: number, unit: string): string {
  const around = encodeProperties([['n', 'v']]).length - 1
  const count = Math.floor((bytes - around) / Buffer.byteLength(unit))
  const rest = bytes - around - count * Buffer.byteLength(unit)
  return encodeProperties([['n', unit.repeat(count) + 'x'.repeat(rest)]])
}

/** Two messages that a client's batch holds in so many bytes. */
function batchOf(bytes: number): BatchToAppend {
  const messages = [bytes - 44 - 7, 7].map((length) => ({
    flag: 0,
    body: Buffer.alloc(length),
    properties: '',
  }))
  return { ...message(''), messages }
}

describe('the longest that a record may have', () => {
  const longest: readonly (readonly [
    string,
    (bytes: number) => Partial<MessageToAppend>,
    number,
    string | undefined,
  ])[] = [
    ['body', (bytes) => ({ body: Buffer.alloc(bytes) }), BODY_MAX, 'body-size'],
    ['properties', (bytes) => ({ properties: propertiesOf(bytes, 'x') }), 32_767, 'properties-size'],
    [
      'properties of many-byte characters',
      (bytes) => ({ properties: propertiesOf(bytes, '消') }),
      32_767,
      'properties-size',
    ],
    ['topic', (bytes) => ({ topic: 't'.repeat(bytes) }), 127, undefined],
    ['topic of retries', (bytes) => ({ topic: `%RETRY%${'t'.repeat(bytes - 7)}` }), 255, undefined],
    ['topic of dead letters', (bytes) => ({ topic: `%DLQ%${'t'.repeat(bytes - 5)}` }), 255, undefined],
  ]
  test.each(longest)('%s', async (_what, fields, max, rule) => {
    const store = await opened()
    const { offset, size } = store.append({ ...message('body'), ...fields(max) })
    const record = store.record(offset, size)
    expect(record).toMatchObject(fields(max))
    expect(record.version).toBe(record.topic.length > 127 ? 2 : 1)
    const { end } = store
    let failure: unknown
    try {
      store.append({ ...message('body'), ...fields(max + 1) })
    } catch (error) {
      failure = error
    }
    expect(failure).toMatchObject({ code: 'MESSAGE_ILLEGAL', facts: rule === undefined ? {} : { rule } })
    expect(store.end).toBe(end)
  })

  test('properties, where a checksum follows that counts as one', async () => {
    const store = await opened(true)
    store.append({ ...message('body'), properties: propertiesOf(32_747, 'x') })
    expect(() => store.append({ ...message('body'), properties: propertiesOf(32_748, 'x') })).toThrow(
      expect.objectContaining({
        code: 'MESSAGE_ILLEGAL',
        facts: { rule: 'properties-size', bytes: 32_748, max: 32_747 },
      }),
    )
  })

  test('all of it together is read back, and is within what recovery believes', async () => {
    const bench = new StoreBench({ segmentBytes: 2 ** 20, maxMessageBytes: BODY_MAX })
    const store = await bench.openMaster()
    const topic = `%RETRY%${'t'.repeat(248)}`
    store.append({
      ...message('x'),
      topic,
      body: Buffer.alloc(BODY_MAX),
      properties: propertiesOf(32_767, 'x'),
      bornHost: { ip: '::1', port: 1 },
    })
    const { end } = store
    bench.kill()
    expect((await bench.open()).end).toBe(end)
  })

  test('a client’s batch', async () => {
    const store = await opened()
    store.appendBatch(batchOf(BODY_MAX))
    expect(() => store.appendBatch(batchOf(BODY_MAX + 1))).toThrow(
      expect.objectContaining({
        code: 'MESSAGE_ILLEGAL',
        facts: { rule: 'body-size', bytes: BODY_MAX + 1, max: BODY_MAX },
      }),
    )
  })
})
