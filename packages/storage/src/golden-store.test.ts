import { describe, expect, test } from 'vitest'
import { goldenOptions, installGolden } from './golden-store.test-kit.ts'
import { StoreBench } from './store-bench.test-kit.ts'

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
      const [topic = '', queueId] = key.split('/')
      const queue = store.queue(topic, Number(queueId))
      for (const { index, offset, size, tagsCode } of units) {
        if (size === 0x7fffffff) continue
        expect(queue?.unit(index), `${key} ${index}`).toEqual({ offset, size, tagsCode: BigInt(tagsCode) })
      }
    }
    for (const record of expected.commitlog) {
      if (record.kind !== 'message') continue
      expect(store.record(record.physicalOffset)).toMatchObject({
        topic: record.topic,
        queueOffset: record.queueOffset,
        properties: record.propertiesString,
        storeTimestamp: record.storeTimestamp,
        body: Buffer.from(record.bodyBase64, 'base64'),
      })
    }
  })

  test('has its consume queues built again from the log, unit by unit', async () => {
    const bench = new StoreBench()
    const expected = await installGolden(bench, name, 'consumequeue/')
    const store = await bench.open(goldenOptions(expected))
    let compared = 0
    for (const [key, units] of Object.entries(expected.consumequeue)) {
      const [topic = '', queueId] = key.split('/')
      if (topic.startsWith('%LMQ%')) continue // Not built here.
      const queue = store.queue(topic, Number(queueId))
      expect(queue?.maxOffset, key).toBe(
        units.at(-1)?.index === undefined ? 0 : (units.at(-1)?.index ?? 0) + 1,
      )
      for (const { index, offset, size, tagsCode } of units) {
        if (size === 0x7fffffff) continue
        const unit = queue?.unit(index)
        expect(unit, `${key} ${index}`).toMatchObject({ offset, size })
        // Extension units put an address in the place of the tag.
        if (BigInt(tagsCode) > -(2n ** 40n)) expect(unit?.tagsCode, `${key} ${index}`).toBe(BigInt(tagsCode))
        compared += 1
      }
    }
    expect(compared).toBeGreaterThan(10)
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
