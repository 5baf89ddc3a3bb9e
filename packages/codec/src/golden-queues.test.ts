import { describe, expect, it } from 'vitest'
import {
  BATCH_UNIT_BYTES,
  decodeBatchUnit,
  encodeBatchUnit,
  type BatchUnit,
} from './batch-consume-queue-unit.ts'
import {
  checkpointIndexTimestamp,
  checkpointTimestamp,
  decodeCheckpoint,
  encodeCheckpoint,
} from './checkpoint.ts'
import {
  decodeExtUnit,
  encodeExtEnd,
  encodeExtUnit,
  extOffsetOf,
  extUnitBytes,
  isExtEnd,
  type ExtUnit,
} from './consume-queue-ext-unit.ts'
import { UNIT_BYTES, decodeUnit, encodeUnit, isFillerUnit } from './consume-queue-unit.ts'
import { decodeRecord } from './decode-record.ts'
import { goldenStores, perQueue, type GoldenStore } from './golden-store.test-data.ts'
import { decodeInnerBatch } from './inner-batch.ts'
import { javaHash, tagsCodeOf } from './java-hash.ts'
import { propertyOf } from './properties.ts'
import { SysFlag } from './sys-flag.ts'

function batchUnits(bytes: Buffer): { unit: BatchUnit; at: number }[] {
  const units: { unit: BatchUnit; at: number }[] = []
  for (let at = 0; at + BATCH_UNIT_BYTES <= bytes.length; at += BATCH_UNIT_BYTES) {
    const unit = decodeBatchUnit(bytes, at)
    if (unit === undefined) break
    units.push({ unit, at })
  }
  return units
}

function extUnits(bytes: Buffer): { unit: ExtUnit; at: number }[] {
  const units: { unit: ExtUnit; at: number }[] = []
  for (let at = 0; ;) {
    const unit = decodeExtUnit(bytes, at)
    if (unit === undefined) return units
    units.push({ unit, at })
    at += extUnitBytes(unit)
  }
}

function recordAt(store: GoldenStore, offset: number) {
  const segment = offset - (offset % store.segmentBytes)
  return decodeRecord(store.read(`commitlog/${String(segment).padStart(20, '0')}`), offset - segment)
}

describe.each(goldenStores)('the queues of $name', (store) => {
  it('have the units Apache put there, and ours have the same bytes', () => {
    const ours = perQueue(store, 'consumequeue', (file, bytes) => {
      const entries = []
      const again = Buffer.alloc(bytes.length)
      for (let at = 0; at < bytes.length; at += UNIT_BYTES) {
        const unit = decodeUnit(bytes, at)
        if (unit === undefined) break
        encodeUnit(again, at, unit)
        entries.push({
          index: (Number(file) + at) / UNIT_BYTES,
          file,
          ...unit,
          tagsCode: String(unit.tagsCode),
        })
      }
      expect(again.equals(bytes)).toBe(true)
      return entries
    })
    expect(ours).toEqual(store.expected['consumequeue'])
  })

  it('point at records that say so themselves', () => {
    perQueue(store, 'consumequeue', (file, bytes) => {
      for (let at = 0; at < bytes.length; at += UNIT_BYTES) {
        const unit = decodeUnit(bytes, at)
        if (unit === undefined) break
        if (isFillerUnit(unit)) continue
        const record = recordAt(store, unit.offset)
        const dispatched = propertyOf(record.properties, 'INNER_MULTI_DISPATCH') !== undefined
        expect(record.size).toBe(unit.size)
        if (!dispatched) expect(record.queueOffset).toBe((Number(file) + at) / UNIT_BYTES)
        if (record.topic === 'SCHEDULE_TOPIC_XXXX' || extOffsetOf(unit.tagsCode) !== undefined) continue
        expect(unit.tagsCode).toBe(tagsCodeOf(propertyOf(record.properties, 'TAGS')))
      }
      return []
    })
  })

  it('have the batch units Apache put there, and ours have the same bytes', () => {
    const ours = perQueue(store, 'batchconsumequeue', (file, bytes) => {
      const again = Buffer.alloc(bytes.length)
      const units = batchUnits(bytes)
      for (const { unit, at } of units) encodeBatchUnit(again, at, unit)
      expect(again.equals(bytes)).toBe(true)
      return units.map(({ unit: { baseOffset, ...unit }, at }) => ({
        ...unit,
        position: at,
        file,
        msgBaseOffset: baseOffset,
        tagsCode: String(unit.tagsCode),
        reserved: 0,
      }))
    })
    expect(ours).toEqual(store.expected['batchconsumequeue'])
  })

  it('have batch units that agree with the batches in the log', () => {
    perQueue(store, 'batchconsumequeue', (_file, bytes) => {
      for (const { unit } of batchUnits(bytes)) {
        const record = recordAt(store, unit.offset)
        // A message that was sent alone is stored alone, also in a batch topic.
        const messages = (record.sysFlag & SysFlag.innerBatch) === 0 ? [record] : decodeInnerBatch(record)
        const offsets = messages.map(({ queueOffset }) => queueOffset)
        expect(offsets).toEqual(Array.from({ length: unit.batchSize }, (_, index) => unit.baseOffset + index))
        expect(record.storeTimestamp).toBe(unit.storeTimestamp)
      }
      return []
    })
  })

  it('have the extension units Apache put there, and ours have the same bytes', () => {
    const ours = perQueue(store, 'consumequeue_ext', (_file, bytes) => {
      const again = Buffer.alloc(bytes.length)
      const units = extUnits(bytes)
      for (const { unit, at } of units) encodeExtUnit(again, at, unit)
      const end = units.reduce((sum, { unit }) => sum + extUnitBytes(unit), 0)
      if (isExtEnd(bytes, end)) encodeExtEnd(again, end)
      expect(again.equals(bytes)).toBe(true)
      return units.map(({ unit, at }) => ({
        extOffset: at,
        size: extUnitBytes(unit),
        tagsCode: String(unit.tagsCode),
        msgStoreTime: unit.storeTimestamp,
        bitMapLength: unit.bitmap.length,
        bitMapHex: unit.bitmap.toString('hex'),
      }))
    })
    expect(ours).toEqual(store.expected['consumequeueExt'])
  })

  it('name extension units by addresses that lead there', () => {
    perQueue(store, 'consumequeue', (_file, bytes) => {
      for (let at = 0; at < bytes.length; at += UNIT_BYTES) {
        const unit = decodeUnit(bytes, at)
        if (unit === undefined) break
        const extOffset = extOffsetOf(unit.tagsCode)
        if (extOffset === undefined) continue
        const record = recordAt(store, unit.offset)
        const ext = decodeExtUnit(
          store.read(`consumequeue_ext/${record.topic}/${record.queueId}/00000000000000000000`),
          extOffset,
        )
        expect(ext?.storeTimestamp).toBe(record.storeTimestamp)
      }
      return []
    })
  })

  it('have a checkpoint that reads as Apache reads it, and ours has the same bytes', () => {
    const bytes = store.read('checkpoint')
    const checkpoint = decodeCheckpoint(bytes)
    const { logicsPhysicalOffset, ...rest } = checkpoint
    expect({
      ...rest,
      minTimestamp: checkpointTimestamp(checkpoint),
      minTimestampIndex: checkpointIndexTimestamp(checkpoint),
      first8Longs: [...Object.values(rest), logicsPhysicalOffset, 0, 0],
    }).toEqual(store.expected['checkpoint'])
    expect(encodeCheckpoint(checkpoint).equals(bytes)).toBe(true)
  })
})

it('hashes tags as Java does', () => {
  expect(tagsCodeOf('TagA')).toBe(2598919n)
  expect(tagsCodeOf('TagB')).toBe(2598920n)
  expect(tagsCodeOf('Aa')).toBe(tagsCodeOf('BB'))
  expect(tagsCodeOf('')).toBe(0n)
  expect(tagsCodeOf(undefined)).toBe(0n)
  expect(javaHash('TopicTest#key1')).toBe(-1655984460)
  expect(tagsCodeOf('TopicTest#key1')).toBe(-1655984460n)
})
