import { SysFlag, decodeMessageBatch, decodeOffsetMessageId, encodeMessageBatch } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import { offsetMessageIds, type Arrival, type BatchToAppend } from './index.ts'
import { StoreBench, bodies, logBytes, message } from './store-bench.test-kit.ts'

function batch(texts: readonly string[], changes: Partial<BatchToAppend> = {}): BatchToAppend {
  const messages = texts.map((text, index) => ({
    flag: index,
    body: Buffer.from(text),
    properties: `UNIQ_KEY\u0001${text}\u0002TAGS\u0001T${index}\u0002`,
  }))
  return { ...message(''), messages: decodeMessageBatch(encodeMessageBatch(messages)), ...changes }
}

describe('a batch', () => {
  test('becomes records of their own, next to each other, with consecutive queue offsets and one store time', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    const arrivals: Arrival[] = []
    store.onDispatched((arrival) => arrivals.push(arrival))
    store.append(message('before'))
    const appended = store.appendBatch(batch(['a', 'bb', 'ccc']))
    store.append(message('after'))
    expect(appended).toMatchObject({ queueOffset: 1, end: appended.offset + appended.size })
    expect(appended.offsets).toHaveLength(3)
    const records = appended.offsets.map((offset) => store.record(offset))
    expect(records.map(({ flag, queueOffset, body }) => [flag, queueOffset, body.toString()])).toEqual([
      [0, 1, 'a'],
      [1, 2, 'bb'],
      [2, 3, 'ccc'],
    ])
    expect(records.map(({ storeTimestamp }) => storeTimestamp)).toEqual(
      records.map(() => appended.storeTimestamp),
    )
    expect(records.map(({ physicalOffset, size }) => physicalOffset + size)).toEqual([
      ...appended.offsets.slice(1),
      appended.end,
    ])
    await bench.dispatched(store)
    expect(bodies(store)).toEqual(['before', 'a', 'bb', 'ccc', 'after'])
    expect(arrivals.map(({ queueOffset }) => queueOffset)).toEqual([0, 1, 2, 3, 4])
    const ids = offsetMessageIds({ ip: '127.0.0.1', port: 10911 }, appended).split(',')
    expect(ids.map((id) => decodeOffsetMessageId(id).offset)).toEqual(appended.offsets)
  })

  test('is read back from the log as it was offered to dispatch', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    for (let n = 0; n < 8; n += 1) store.appendBatch(batch([`${n}a`, `${n}b`.repeat(40), `${n}c`]))
    await bench.dispatched(store)
    const slave = await new StoreBench().open()
    for (let at = 0; at < store.end;) {
      const bytes = store.read(at, 777)
      slave.appendRaw(at, bytes)
      at += bytes.length
    }
    await bench.clock.settle()
    expect(bodies(slave)).toEqual(bodies(store))
    expect(logBytes(slave).equals(logBytes(store))).toBe(true)
  })

  test('moves whole to the next file where the rest of one is too short', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    for (let n = 0; n < 3; n += 1) store.append(message('x'.repeat(1000)))
    const { offset } = store.appendBatch(batch(['y'.repeat(200), 'y'.repeat(200), 'y'.repeat(200)]))
    expect(offset).toBe(4096)
    await bench.dispatched(store)
    expect(bodies(store)).toHaveLength(6)
  })

  test('is all or nothing: a bad message, a full disk or too many bytes store none of it', async () => {
    const bench = new StoreBench({ preZeroBytes: 0 })
    const store = await bench.openMaster()
    store.append(message('before'))
    const end = store.end
    const bad = batch(['good', 'bad', 'good'])
    const illegal = expect.objectContaining({ code: 'MESSAGE_ILLEGAL' })
    const refused: BatchToAppend[] = [
      { ...bad, messages: [] },
      { ...bad, messages: bad.messages.map((part, n) => ({ ...part, flag: n === 1 ? 2 ** 40 : 0 })) },
      { ...bad, messages: bad.messages.map((part) => ({ ...part, properties: 'p'.repeat(32_768) })) },
      {
        ...bad,
        messages: Array.from({ length: 20 }, () => ({ flag: 0, body: Buffer.alloc(90), properties: '' })),
      },
      { ...bad, topic: '%RETRY%group' },
      { ...bad, topic: `%DLQ%${'g'.repeat(130)}` },
      { ...bad, topic: 'a.b' },
      { ...bad, sysFlag: SysFlag.transactionPrepared },
    ]
    for (const each of refused) expect(() => store.appendBatch(each)).toThrow(illegal)
    bench.disk.fail({ call: 'write', code: 'ENOSPC', nth: 1, matching: /commitlog/ })
    expect(() => store.appendBatch(bad)).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
    expect(store.end).toBe(end)
    expect(store.appendBatch(bad).queueOffset).toBe(1)
    await bench.dispatched(store)
    expect(bodies(store)).toEqual(['before', 'good', 'bad', 'good'])
  })

  test('needs a writer', async () => {
    const store = await new StoreBench().open()
    expect(() => store.appendBatch(batch(['a']))).toThrow(expect.objectContaining({ code: 'NOT_WRITABLE' }))
  })
})
