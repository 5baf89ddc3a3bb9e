import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { StoreBench } from './store-bench.test-kit.ts'

/** The parts of `expected.json` that concern the log and its queues; see test/golden/README.md. */
interface Expected {
  readonly segmentSize: number
  readonly consumeQueueFileSize: number
  readonly commitlogEnd: number
  readonly commitlog: readonly {
    readonly kind: string
    readonly physicalOffset: number
    readonly size: number
    readonly topic: string
    readonly queueId: number
    readonly queueOffset: number
    readonly bodyBase64: string
    readonly propertiesString: string
    readonly storeTimestamp: number
  }[]
  readonly consumequeue: Readonly<Record<string, readonly Unit[]>>
}

interface Unit {
  readonly index: number
  readonly offset: number
  readonly size: number
  readonly tagsCode: string
}

interface Manifest {
  readonly files: readonly { readonly path: string; readonly size: number; readonly stored: string }[]
}

function golden(name: string, path: string): Buffer {
  return readFileSync(new URL(`../../../test/golden/${name}/${path.replaceAll('%', '%25')}`, import.meta.url))
}

/** Puts a store that a genuine Apache wrote onto the bench's disk. */
async function install(bench: StoreBench, name: string, without?: string): Promise<Expected> {
  const manifest: Manifest = JSON.parse(golden(name, 'manifest.json').toString())
  for (const { path, size, stored } of manifest.files) {
    const isOurs = /^(commitlog|consumequeue|checkpoint|abort)/.test(path)
    if (!isOurs || path.endsWith('/') || (without !== undefined && path.startsWith(without))) continue
    const at = `/data/store/${path}`
    const packed =
      stored === 'gzip' ? gunzipSync(golden(name, `files/${path}.gz`)) : golden(name, `files/${path}`)
    bench.disk.makeDirectory(at.slice(0, at.lastIndexOf('/')))
    const file = bench.disk.open(at, 'create')
    file.write(packed, 0)
    file.truncate(size)
    await bench.clock.outcome(file.dataSync())
    file.close()
  }
  const expected: Expected = JSON.parse(golden(name, 'expected.json').toString())
  return expected
}

function optionsFor(expected: Expected): Parameters<StoreBench['open']>[0] {
  return {
    segmentBytes: expected.segmentSize,
    consumeQueueFileBytes: expected.consumeQueueFileSize,
    maxMessageBytes: 4 * 1024 * 1024,
  }
}

describe.each(['store', 'store-crash', 'store-5.3.3', 'store-extra'])('the genuine Apache %s', (name) => {
  test('opens, and every message is there by queue offset', async () => {
    const bench = new StoreBench()
    const expected = await install(bench, name)
    const store = await bench.open(optionsFor(expected))
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
    const expected = await install(bench, name, 'consumequeue/')
    const store = await bench.open(optionsFor(expected))
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
    const expected = await install(bench, name)
    const store = await bench.openMaster(optionsFor(expected))
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
    const again = await bench.open(optionsFor(expected))
    expect(again.recovery).toMatchObject({ cleanStop: true, lossPossible: false })
    expect(again.record(appended.offset).body.toString()).toBe('ours')
    expect(again.record(last?.physicalOffset ?? 0).topic).toBe(topic)
  })
})
