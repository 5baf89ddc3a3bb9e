import { checkPropertyCrc, decodeRecord, encodeRecord, recordSize } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import type { MessageStore } from './index.ts'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

const LOG = '/data/store/commitlog/00000000000000000000'
const FORGED = 'KEYS\u0001k\u0002__CRC32#\u00011234567890\u0002'

function tailOf(store: MessageStore, offset: number, size: number): string {
  return checkPropertyCrc(store.read(offset, size), 0, size)
}

/** The bytes of a store's log with one bit of the properties of the record at `offset` turned. */
function damaged(store: MessageStore, offset: number): Buffer {
  const bytes = Buffer.from(store.read(offset, store.record(offset).size))
  const at = bytes.lastIndexOf('TagA')
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes
}

describe('with enabledAppendPropCRC', () => {
  test('every record ends with a checksum over all of it, those of a batch and of a message that came with one too', async () => {
    const store = await new StoreBench({ propertyCrc: true }).openMaster()
    const single = store.append({ ...message('one'), properties: FORGED })
    expect(tailOf(store, single.offset, single.size)).toBe('right')
    expect(store.record(single.offset).properties).toHaveLength('KEYS k '.length + 20)
    const { offsets, end } = store.appendBatch({
      ...message(''),
      messages: ['', 'KEYS\u0001open'].map((properties) => ({ flag: 0, body: Buffer.from('b'), properties })),
    })
    for (const [index, offset] of offsets.entries())
      expect(tailOf(store, offset, (offsets[index + 1] ?? end) - offset)).toBe('right')
  })

  test.each([
    ['written down as flushed', 5000, 'LOG_CORRUPT'],
    ['not yet flushed', 0, 'cut'],
  ] as const)(
    'a bit that fell in the properties of a record that was %s is seen at a start',
    async (_what, ms, seen) => {
      const bench = new StoreBench({ propertyCrc: true })
      const store = await bench.openMaster()
      store.append(message('whole'))
      await bench.clock.advance(5000)
      const { offset } = store.append(message('hit'))
      await bench.clock.advance(ms)
      bench.disk.corrupt(LOG, offset, damaged(store, offset))
      bench.kill()
      const opening = bench.opening({ bootId: 'another' })
      if (seen === 'LOG_CORRUPT') {
        await expect(bench.clock.outcome(opening)).rejects.toMatchObject({ code: seen, facts: { offset } })
        return
      }
      const again = await bench.clock.outcome(opening)
      expect(again.recovery).toMatchObject({ end: offset })
      expect(bodies(again)).toEqual(['whole'])
    },
  )

  test('and reading such a record is refused', async () => {
    const bench = new StoreBench({ propertyCrc: true })
    const store = await bench.openMaster()
    const { offset } = store.append(message('hit'))
    await bench.clock.outcome(store.close())
    const again = await bench.open()
    expect(again.record(offset).body.toString()).toBe('hit')
    bench.disk.corrupt(LOG, offset, damaged(again, offset))
    expect(() => again.record(offset)).toThrow(expect.objectContaining({ code: 'LOG_CORRUPT' }))
  })

  test.each([true, false])(
    'the end that a power cut left is certain only with it (%s)',
    async (propertyCrc) => {
      const bench = new StoreBench({ propertyCrc })
      const store = await bench.openMaster()
      store.append(message('flushed'))
      await bench.clock.advance(5000)
      const flushed = store.end
      for (let n = 0; n < 4; n += 1) store.append(message('x'.repeat(1500))) // Over the end of a file.
      const { end } = store
      bench.kill()
      const again = await bench.open({ bootId: 'another' })
      expect(again.recovery).toMatchObject({
        end,
        lossPossible: true,
        trustedEnd: propertyCrc ? end : flushed,
      })
    },
  )
})

async function following(hit: (bytes: Buffer) => void): Promise<MessageStore> {
  const master = await new StoreBench({ propertyCrc: true }).openMaster()
  const first = master.append(message('first'))
  const second = master.append(message('second'))
  const bench = new StoreBench()
  const slave = await bench.open()
  slave.appendRaw(0, master.read(0, first.end))
  const bytes = Buffer.from(master.read(second.offset, second.size))
  hit(bytes)
  slave.appendRaw(first.end, bytes)
  await bench.clock.advance(10)
  return slave
}

describe('a slave', () => {
  test('that does not write checksums itself stops at a wrong one of a master that does', async () => {
    const slave = await following((bytes) => {
      const at = bytes.lastIndexOf('TagA')
      bytes[at] = 0x55
    })
    expect(slave.dispatched.failure).toMatchObject({ code: 'LOG_CORRUPT' })
    expect(bodies(slave)).toEqual(['first'])
    expect(bodies(await following(() => {}))).toEqual(['first', 'second'])
  })
})

describe('what a client sends as a checksum through a broker that writes none', () => {
  test('is not stored', async () => {
    const store = await new StoreBench().openMaster()
    const { offset } = store.append({ ...message('one'), properties: FORGED })
    expect(store.record(offset).properties).toBe('KEYS\u0001k\u0002')
  })

  test('stops no slave of an Apache master that stored it', async () => {
    const fields = { ...message('forged'), version: 1 as const, queueOffset: 0, physicalOffset: 0 }
    const record = {
      ...fields,
      storeTimestamp: 1,
      storeHost: { ip: '127.0.0.1', port: 10911 },
      properties: FORGED,
    }
    const bytes = Buffer.alloc(recordSize(record))
    encodeRecord(bytes, 0, record)
    expect(decodeRecord(bytes, 0).properties).toBe(FORGED)
    const bench = new StoreBench()
    const slave = await bench.open()
    slave.appendRaw(0, bytes)
    await bench.dispatched(slave)
    expect(bodies(slave)).toEqual(['forged'])
    bench.kill()
    expect(bodies(await bench.open())).toEqual(['forged'])
  })
})
