import { UNIT_BYTES, encodeUnit } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import type { BatchToAppend, MessageStore } from './index.ts'
import { StoreBench, logBytes, message } from './store-bench.test-kit.ts'

const options = { batchQueueFileBytes: 46 * 4, isBatchTopic: () => false }
const knowing = { ...options, isBatchTopic: (topic: string): boolean => topic === 'orders' }

function batch(contents: readonly string[], queueId = 0): BatchToAppend {
  const messages = contents.map((text) => ({ flag: 0, body: Buffer.from(text), properties: '' }))
  return { ...message('', 'orders', queueId), messages, properties: 'UNIQ_KEY\u0001k\u0002' }
}

function texts(store: MessageStore, queueId = 0): string[] {
  const queue = store.queue('orders', queueId)
  const found: string[] = []
  for (let at = queue?.minOffset ?? 0; at < (queue?.maxOffset ?? 0); at += 1) {
    const unit = queue?.unit(at)
    found.push(unit === undefined ? '-' : store.record(unit.offset, unit.size, at).body.toString())
  }
  return found
}

/** Directories of queues of the topic, by kind. */
function kinds(bench: StoreBench): Record<string, readonly string[]> {
  return {
    ordinary: bench.disk.list('/data/store/consumequeue/orders'),
    batch: bench.disk.list('/data/store/batchconsumequeue/orders'),
  }
}

/** A master's log: twelve plain records of the topic in queue 0 and one in queue 1, then inner batches. */
async function masterLog(): Promise<{ plain: Buffer; batches: Buffer; expected: string[] }> {
  const master = await new StoreBench(knowing).openMaster()
  const expected: string[] = []
  for (let n = 0; n < 12; n += 1) {
    master.append(message(`${n}`))
    expected.push(`${n}`)
  }
  master.append(message('x', 'orders', 1))
  const plain = logBytes(master)
  for (let n = 12; n < 15; n += 1) {
    master.appendBatch(batch([`${n}a`, `${n}b`]))
    master.append(message(`${n}c`))
    expected.push(`${n}a`, `${n}b`, `${n}c`)
  }
  return { plain, batches: logBytes(master).subarray(plain.length), expected }
}

describe('a batch topic whose first record is a plain one', () => {
  test('on a slave that does not know its topics: each message has its place, and none is given twice', async () => {
    const { plain, batches, expected } = await masterLog()
    const bench = new StoreBench(options)
    const slave = await bench.open()
    slave.appendRaw(0, plain)
    await bench.dispatched(slave)
    slave.appendRaw(plain.length, batches)
    await bench.dispatched(slave)
    expect(texts(slave)).toEqual(expected)
    expect(texts(slave, 1)).toEqual(['x'])
    await bench.clock.outcome(slave.close())
    expect(kinds(bench)).toEqual({ ordinary: [], batch: ['0', '1'] })
    const promoted = await bench.openMaster(knowing)
    expect(texts(promoted)).toEqual(expected)
    expect(promoted.appendBatch(batch(['p', 'q'])).queueOffset).toBe(expected.length)
    expect(promoted.append(message('r')).queueOffset).toBe(expected.length + 2)
    await bench.dispatched(promoted)
    expect(texts(promoted)).toEqual([...expected, 'p', 'q', 'r'])
  })

  test('where topics are known later: it is a batch topic from the next record on, and after a clean stop in any case', async () => {
    for (const isNextRecord of [true, false]) {
      let isKnown = false
      const bench = new StoreBench({ ...options, isBatchTopic: (topic) => isKnown && topic === 'orders' })
      const store = await bench.openMaster()
      for (let n = 0; n < 7; n += 1) store.append(message(`${n}`))
      await bench.dispatched(store)
      isKnown = true
      if (isNextRecord) {
        store.append(message('7'))
        await bench.clock.advance(6000)
        expect(kinds(bench)).toEqual({ ordinary: [], batch: ['0'] })
      }
      const before = texts(store)
      await bench.clock.outcome(store.close())
      expect(kinds(bench)).toEqual({ ordinary: [], batch: ['0'] })
      expect(texts(await bench.open())).toEqual(before)
    }
  })

  test('when its configuration comes after recovery: what recovery has put aside is found again', async () => {
    const bench = new StoreBench(options)
    const store = await bench.openMaster(knowing)
    store.append(message('a'))
    await bench.clock.outcome(store.flush())
    bench.cutPower()
    const again = await bench.openMaster()
    expect(texts(again)).toEqual(['a'])
    again.append(message('b'))
    await bench.dispatched(again)
    bench.kill()
    const known = await bench.openMaster(knowing)
    known.appendBatch(batch(['c', 'd']))
    await bench.dispatched(known)
    expect(texts(known)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('when its configuration says no batch topic any more: its records are what they are', async () => {
    const { plain, batches, expected } = await masterLog()
    const bench = new StoreBench(knowing)
    const slave = await bench.open()
    slave.appendRaw(0, Buffer.concat([plain, batches]))
    await bench.dispatched(slave)
    await bench.clock.outcome(slave.close())
    for (const lost of ['batchconsumequeue', 'queueEnds', 'nothing']) {
      bench.disk.remove(`/data/store/${lost}`)
      const again = await bench.openMaster({ isBatchTopic: () => false })
      expect(texts(again)).toEqual(expected)
      await bench.clock.outcome(again.close())
    }
    const last = await bench.openMaster({ isBatchTopic: () => false })
    expect(last.append(message('z')).queueOffset).toBe(expected.length)
  })

  test.each(['read again', 'not read again'])(
    'a batch that an ordinary queue has only the first place of, as older versions left it, gets all of its places: %s',
    async (how) => {
      const bench = new StoreBench(knowing)
      const store = await bench.openMaster()
      store.append(message('a'))
      const { size } = store.appendBatch(batch(['b', 'c']))
      await bench.dispatched(store)
      await bench.clock.outcome(how === 'read again' ? store.flush() : store.close())
      if (how === 'read again') bench.kill()
      // As if the batch were a plain record: two units, where three messages are.
      for (const name of ['batchconsumequeue', 'queueEnds']) bench.disk.remove(`/data/store/${name}`)
      bench.disk.makeDirectory('/data/store/consumequeue/orders/0')
      const file = bench.disk.open('/data/store/consumequeue/orders/0/00000000000000000000', 'create')
      const first = store.end - size
      const units = Buffer.alloc(2 * UNIT_BYTES)
      encodeUnit(units, 0, { offset: 0, size: first, tagsCode: 0n })
      encodeUnit(units, UNIT_BYTES, { offset: first, size, tagsCode: 0n })
      file.write(units, 0)
      file.close()
      const again = await bench.open(how === 'read again' ? { isBatchTopic: () => false } : {})
      if (how === 'not read again') await bench.clock.outcome(again.close())
      expect(texts(how === 'read again' ? again : await bench.open())).toEqual(['a', 'b', 'c'])
    },
  )

  test.each(['kill', 'power'] as const)('is whole wherever %s meets its becoming one', async (how) => {
    const { plain, batches, expected } = await masterLog()
    let crashes = 0
    for (let crashAt = 1; ; crashAt += 1) {
      const bench = new StoreBench(options, crashAt)
      let isArmed = false
      const dying = bench.dying(how, crashAt, () => isArmed)
      const slave = await bench.clock.outcome(bench.opening({}, dying.files))
      slave.appendRaw(0, plain)
      await bench.clock.outcome(slave.flush())
      await bench.clock.advance(6000)
      isArmed = true
      try {
        slave.appendRaw(plain.length, batches)
        await bench.clock.outcome(slave.flush())
        await bench.clock.advance(6000)
      } catch (failure) {
        if (!dying.crashed) throw failure
      }
      isArmed = false
      if (!dying.crashed) break
      crashes += 1
      // What is written down beside the queues must not be needed.
      if (crashAt % 2 === 0)
        for (const name of ['queueEnds', 'queueEnds.bak']) bench.disk.remove(`/data/store/${name}`)
      const again = await bench.open()
      const queues = [...again.queueOffsets()].map(({ topic, queueId }) => `${topic} ${queueId}`)
      expect(queues).toEqual([...new Set(queues)])
      again.appendRaw(again.end, Buffer.concat([plain, batches]).subarray(again.end))
      await bench.dispatched(again)
      expect(texts(again)).toEqual(expected)
      expect(texts(again, 1)).toEqual(['x'])
      await bench.clock.outcome(again.close())
      expect(kinds(bench)).toEqual({ ordinary: [], batch: ['0', '1'] })
    }
    expect(crashes).toBeGreaterThan(20)
  })

  test('waits for a disk that does not take it, and is tried again', async () => {
    const { plain, batches, expected } = await masterLog()
    for (let nth = 1; nth <= 3; nth += 1) {
      const bench = new StoreBench(options)
      const slave = await bench.open()
      slave.appendRaw(0, plain)
      await bench.dispatched(slave)
      bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /batchconsumequeue/, nth: nth * 3 })
      slave.appendRaw(plain.length, batches)
      await bench.clock.advance(6000)
      await bench.dispatched(slave)
      expect(texts(slave)).toEqual(expected)
    }
  })
})
