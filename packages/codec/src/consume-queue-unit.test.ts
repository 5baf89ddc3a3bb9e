import fc from 'fast-check'
import { InvariantViolation } from '@tandemmq/base'
import { describe, expect, it } from 'vitest'
import { decodeBatchUnit, encodeBatchUnit } from './batch-consume-queue-unit.ts'
import {
  EXT_UNIT_BYTES_MAX,
  decodeExtUnit,
  encodeExtEnd,
  encodeExtUnit,
  extAddressOf,
  extOffsetOf,
  extUnitBytes,
  isExtEnd,
} from './consume-queue-ext-unit.ts'
import { decodeUnit, encodeUnit, fillerUnit, isFillerUnit } from './consume-queue-unit.ts'

const position = fc.maxSafeNat().filter((value) => value < Number.MAX_SAFE_INTEGER)
const size = fc.integer({ min: 1, max: 2 ** 31 - 1 })
const tagsCode = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

describe('a consume queue unit', () => {
  it('has the bytes RocketMQ gives it', () => {
    const bytes = Buffer.alloc(20)
    expect(encodeUnit(bytes, 0, { offset: 4096, size: 125, tagsCode: 2598919n })).toBe(20)
    expect(bytes.toString('hex')).toBe('00000000000010000000007d000000000027a807')
  })

  it('decodes to what was encoded', () => {
    fc.assert(
      fc.property(fc.record({ offset: position, size, tagsCode }), (unit) => {
        const bytes = Buffer.alloc(25, 0xee)
        encodeUnit(bytes, 3, unit)
        expect(decodeUnit(bytes, 3)).toEqual(unit)
        expect(bytes.readUInt16BE(23)).toBe(0xeeee)
      }),
    )
  })

  it('is not there in zeros, nor where offset or size are impossible', () => {
    expect(decodeUnit(Buffer.alloc(20), 0)).toBeUndefined()
    expect(decodeUnit(Buffer.from('ffffffffffffffff0000007d0000000000000000', 'hex'), 0)).toBeUndefined()
    expect(decodeUnit(Buffer.from('7fffffffffffffff0000007d0000000000000000', 'hex'), 0)).toBeUndefined()
    expect(decodeUnit(Buffer.from('0000000000001000ffffffff0000000000000000', 'hex'), 0)).toBeUndefined()
  })

  it('may be a filler, which only looks like a record at 0', () => {
    const bytes = Buffer.alloc(20)
    encodeUnit(bytes, 0, fillerUnit)
    expect(bytes.toString('hex')).toBe('00000000000000007fffffff0000000000000000')
    const unit = decodeUnit(bytes, 0)
    expect(unit !== undefined && isFillerUnit(unit)).toBe(true)
    expect(isFillerUnit({ offset: 0, size: 222, tagsCode: 0n })).toBe(false)
  })

  it('is never written without a size', () => {
    expect(() => encodeUnit(Buffer.alloc(20), 0, { offset: 1, size: 0, tagsCode: 0n })).toThrow(
      InvariantViolation,
    )
  })
})

describe('a batch unit', () => {
  it('decodes to what was encoded', () => {
    const unit = fc.record({
      offset: position,
      size,
      tagsCode,
      storeTimestamp: fc.maxSafeInteger(),
      baseOffset: position,
      batchSize: fc.integer({ min: 1, max: 32767 }),
      compactedOffset: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
    })
    fc.assert(
      fc.property(unit, (original) => {
        const bytes = Buffer.alloc(50)
        encodeBatchUnit(bytes, 2, original)
        expect(decodeBatchUnit(bytes, 2)).toEqual(original)
      }),
    )
  })

  it('is not there in zeros', () => {
    expect(decodeBatchUnit(Buffer.alloc(46), 0)).toBeUndefined()
  })
})

describe('an extension unit', () => {
  const bitmap = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes))
  const extUnit = fc.record({ tagsCode, storeTimestamp: fc.maxSafeInteger(), bitmap })

  it('decodes to what was encoded, and not at all when cut off', () => {
    fc.assert(
      fc.property(extUnit, (unit) => {
        const bytes = Buffer.alloc(extUnitBytes(unit))
        expect(encodeExtUnit(bytes, 0, unit)).toBe(bytes.length)
        expect(decodeExtUnit(bytes, 0)).toEqual(unit)
        for (let length = 0; length < bytes.length; length += 1) {
          expect(decodeExtUnit(bytes.subarray(0, length), 0)).toBeUndefined()
        }
      }),
      { numRuns: 30 },
    )
  })

  it('is not there behind the end mark, or where its two lengths differ', () => {
    const bytes = Buffer.alloc(40)
    encodeExtEnd(bytes, 0)
    expect(isExtEnd(bytes, 0)).toBe(true)
    expect(decodeExtUnit(bytes, 0)).toBeUndefined()
    encodeExtUnit(bytes, 0, { tagsCode: 1n, storeTimestamp: 2, bitmap: Buffer.alloc(4) })
    bytes.writeInt16BE(3, 18)
    expect(decodeExtUnit(bytes, 0)).toBeUndefined()
  })

  it('has room for a bitmap of 32747 bytes and no more', () => {
    const unit = { tagsCode: 1n, storeTimestamp: 2, bitmap: Buffer.alloc(32747, 1) }
    const bytes = Buffer.alloc(EXT_UNIT_BYTES_MAX + 1)
    expect(encodeExtUnit(bytes, 0, unit)).toBe(EXT_UNIT_BYTES_MAX)
    expect(decodeExtUnit(bytes, 0)).toEqual(unit)
    expect(() => encodeExtUnit(bytes, 0, { ...unit, bitmap: Buffer.alloc(32748) })).toThrow(
      expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' }),
    )
  })

  it('has an address that no tag hashes to', () => {
    expect(extAddressOf(0)).toBe(-(2n ** 63n))
    expect(extOffsetOf(extAddressOf(123456))).toBe(123456)
    expect(extOffsetOf(-2147483649n)).toBeDefined()
    expect(extOffsetOf(-2147483648n)).toBeUndefined()
    expect(extOffsetOf(2598919n)).toBeUndefined()
  })
})
