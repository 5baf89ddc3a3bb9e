import { describe, expect, test } from 'vitest'
import {
  SysFlag,
  decodeMessageBatch,
  transactionTypeOf,
  type BatchElement,
  type LogRecord,
} from '@tandemmq/codec'
import {
  goldenFile,
  goldenOptions,
  installGolden,
  trueTagsCode,
  type ExpectedStore,
} from './golden-store.test-kit.ts'
import type { MessageStore, QueueReader } from './index.ts'
import { StoreBench } from './store-bench.test-kit.ts'

function queueOf(store: MessageStore, key: string): QueueReader | undefined {
  const [topic = '', queueId] = key.split('/')
  return store.queue(topic, Number(queueId))
}

function contentsOf(bench: StoreBench, path: string): Buffer {
  const file = bench.disk.open(path, 'read')
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0)
  file.close()
  return bytes
}

/** Every message of every record is there by its queue offset, also those that share a record. */
function expectBatchQueues(store: MessageStore, expected: ExpectedStore): void {
  for (const [key, units] of Object.entries(expected.batchconsumequeue)) {
    const queue = queueOf(store, key)
    const last = units.at(-1)
    expect(queue?.maxOffset).toBe((last?.msgBaseOffset ?? 0) + (last?.batchSize ?? 0))
    for (const { offset, size, tagsCode, msgBaseOffset, batchSize } of units) {
      const elements = decodedElements(store.record(offset, size))
      expect(elements).toHaveLength(batchSize)
      for (const [index, element] of elements.entries()) {
        const queueOffset = msgBaseOffset + index
        expect(queue?.unit(queueOffset)).toMatchObject({ offset, size, tagsCode: BigInt(tagsCode) })
        const record = store.record(offset, size, queueOffset)
        expect(record).toMatchObject({ queueOffset, body: element.body, properties: element.properties })
      }
    }
  }
}

function decodedElements(record: LogRecord): readonly BatchElement[] {
  return (record.sysFlag & SysFlag.innerBatch) === 0 ? [record] : decodeMessageBatch(record.body)
}

function isRollback(sysFlag: number): boolean {
  return transactionTypeOf(sysFlag) === 'rollback'
}

describe.each(['store', 'store-crash', 'store-5.3.3', 'store-extra'])('the genuine Apache %s', (name) => {
  test('opens, and every message is there by queue offset', async () => {
    const bench = new StoreBench()
    const expected = await installGolden(bench, name)
    const store = await bench.open(goldenOptions(expected))
    expect(store.end).toBe(expected.commitlogEnd)
    expect(store.recovery).toMatchObject({
      cleanStop: name !== 'store-crash',
      fresh: false,
      lossPossible: true,
    })
    for (const [key, units] of Object.entries(expected.consumequeue)) {
      const queue = queueOf(store, key)
      for (const { index, offset, size, tagsCode } of units) {
        if (size === 0x7fffffff) continue
        const unit = { offset, size, tagsCode: trueTagsCode(expected, key, tagsCode) }
        expect(queue?.unit(index), `${key} ${index}`).toEqual(unit)
        const light = key.startsWith('%LMQ%')
        const [extension] = (expected.consumequeueExt[key] ?? []).slice(index, index + 1)
        expect(queue?.extension(index)).toEqual(
          extension === undefined || light
            ? undefined
            : {
                tagsCode: BigInt(extension.tagsCode),
                storeTimestamp: extension.msgStoreTime,
                bitmap: Buffer.from(extension.bitMapHex, 'hex'),
              },
        )
      }
    }
    expectBatchQueues(store, expected)
  })

  test('gives every message by its place, its message id and its keys', async () => {
    const bench = new StoreBench()
    const expected = await installGolden(bench, name)
    const store = await bench.open(goldenOptions(expected))
    let byKey = 0
    for (const message of expected.commitlog) {
      if (message.kind !== 'message') continue
      const { physicalOffset, topic, properties, msgId } = message
      const record = store.record(physicalOffset)
      expect(record).toMatchObject({
        topic,
        queueOffset: message.queueOffset,
        properties: message.propertiesString,
        storeTimestamp: message.storeTimestamp,
        body: Buffer.from(message.bodyBase64, 'base64'),
      })
      expect(store.recordByMessageId(msgId), msgId).toEqual(record)
      expect(store.recordByMessageId(msgId, physicalOffset + 1)).toBeUndefined()
      if (isRollback(message.sysFlag)) continue
      const wanted = [
        ...(properties['UNIQ_KEY'] === undefined ? [] : [['uniqueKey', properties['UNIQ_KEY']] as const]),
        ...(properties['KEYS'] ?? '')
          .split(' ')
          .filter((key) => key !== '')
          .map((key) => ['key', key] as const),
      ]
      for (const [by, value] of wanted) {
        const query = store.query({
          topic,
          by,
          value,
          max: 1000,
          begin: record.storeTimestamp,
          end: record.storeTimestamp,
        })
        const { records } = await bench.clock.outcome(query)
        const found = records.map((each) => each.physicalOffset)
        expect(found, `${by} ${value}`).toContain(physicalOffset)
        byKey += 1
      }
    }
    expect(byKey).toBeGreaterThan(10)
  })

  test('has its consume queues built again from the log, unit by unit', async () => {
    const bench = new StoreBench()
    const expected = await installGolden(bench, name, /^(batch)?consumequeue/)
    const store = await bench.open(goldenOptions(expected))
    let compared = 0
    for (const [key, units] of Object.entries(expected.consumequeue)) {
      const queue = queueOf(store, key)
      expect(queue?.maxOffset ?? 0, key).toBe((units.at(-1)?.index ?? -1) + 1)
      for (const { index, offset, size, tagsCode } of units) {
        if (size === 0x7fffffff) continue
        const unit = { offset, size, tagsCode: trueTagsCode(expected, key, tagsCode) }
        expect(queue?.unit(index), `${key} ${index}`).toEqual(unit)
        compared += 1
      }
    }
    expect(compared).toBeGreaterThan(10)
    const names = [...store.queueOffsets()].map(({ topic, queueId }) => `${topic}/${queueId}`)
    expect(names.filter((key) => expected.consumequeue[key] === undefined)).toEqual(
      Object.keys(expected.batchconsumequeue),
    )
    expectBatchQueues(store, expected)
    for (const path of bench.disk.list('/data/store/batchconsumequeue/GoldenInner/0'))
      expect(contentsOf(bench, `/data/store/batchconsumequeue/GoldenInner/0/${path}`)).toEqual(
        goldenFile(name, `batchconsumequeue/GoldenInner/0/${path}`),
      )
  })

  test('goes on with ours, and keeps what it had', async () => {
    const bench = new StoreBench()
    const expected = await installGolden(bench, name)
    const store = await bench.openMaster(goldenOptions(expected))
    expect(store.lineage?.epochs).toMatchObject([
      { epoch: 1, start: 0 },
      { epoch: 2, start: expected.commitlogEnd },
    ])
    const last = expected.commitlog.findLast((record) => {
      const units = expected.consumequeue[`${record.topic}/${record.queueId}`]
      return units?.at(-1)?.offset === record.physicalOffset
    })
    const topic = last?.topic ?? ''
    const before = store.queue(topic, last?.queueId ?? 0)?.maxOffset ?? 0
    expect(before).toBeGreaterThan(0)
    const appended = store.append({
      topic,
      queueId: last?.queueId ?? 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 1,
      bornHost: { ip: '::1', port: 1 },
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from('ours'),
      properties: '',
    })
    expect(appended.queueOffset).toBe(before)
    expect(appended.storeTimestamp).toBeGreaterThanOrEqual(last?.storeTimestamp ?? Infinity)
    await bench.clock.outcome(store.close())
    const again = await bench.open(goldenOptions(expected))
    expect(again.recovery).toMatchObject({ cleanStop: true, lossPossible: false })
    expect(again.record(appended.offset).body.toString()).toBe('ours')
    expect(again.record(last?.physicalOffset ?? 0).topic).toBe(topic)
  })
})
