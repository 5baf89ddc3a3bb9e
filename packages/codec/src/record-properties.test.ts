import fc from 'fast-check'
import { BrokerError } from '@tandemmq/base'
import { describe, expect, it } from 'vitest'
import { bodyCrcMatches, decodeRecord, readStoreTimestamp } from './decode-record.ts'
import { encodeRecord, recordSize, storedSysFlag } from './encode-record.ts'
import { scanFrame, type ScanLimits } from './frame-scan.ts'
import type { RecordFields } from './log-record.ts'
import { checkPropertyCrc, propertiesBeforeCrc } from './property-crc.ts'

const limits: ScanLimits = { recordBytesMax: 1 << 20, segmentBytes: 1 << 20 }

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const position = fc.maxSafeNat().filter((value) => value < Number.MAX_SAFE_INTEGER)
const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const host = fc.record({ ip: fc.oneof(fc.ipV4(), fc.ipV6().map(canonical)), port: fc.nat(65535) })
const record: fc.Arbitrary<RecordFields> = fc.record({
  version: fc.constantFrom(1, 2),
  queueId: int32,
  flag: int32,
  queueOffset: position,
  physicalOffset: position,
  sysFlag: fc.nat(0x7ff),
  bornTimestamp: fc.maxSafeInteger(),
  bornHost: host,
  storeTimestamp: fc.maxSafeInteger(),
  storeHost: host,
  reconsumeTimes: int32,
  preparedTransactionOffset: fc.maxSafeInteger(),
  body: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  topic: text.filter((topic) => Buffer.byteLength(topic) <= 127),
  properties: text,
})

/** The one text that reading an address gives, by way of the platform's own parser. */
function canonical(ip: string): string {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(ip)
  const plain = dotted === null ? ip : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`
  return new URL(`http://[${plain}]/`).hostname.slice(1, -1)
}

function hex(high: string | undefined, low: string | undefined): string {
  return (Number(high) * 256 + Number(low)).toString(16)
}

function encoded(fields: RecordFields): Buffer {
  const bytes = Buffer.alloc(recordSize(fields))
  encodeRecord(bytes, 0, fields)
  return bytes
}

describe('any record', () => {
  it('decodes to what was encoded, wherever it lies', () => {
    fc.assert(
      fc.property(record, fc.nat(40), (fields, at) => {
        const size = recordSize(fields)
        const bytes = Buffer.alloc(at + size + 10, 0xee)
        expect(encodeRecord(bytes, at, fields)).toBe(size)
        expect(bytes.subarray(at + size).every((byte) => byte === 0xee)).toBe(true)
        expect(scanFrame(bytes, at, limits, fields.physicalOffset)).toEqual({ kind: 'message', size })
        expect(readStoreTimestamp(bytes, at)).toBe(fields.storeTimestamp)
        expect(bodyCrcMatches(bytes, at)).toBe(true)
        const { bodyCrc, ...decoded } = decodeRecord(bytes, at)
        expect(decoded).toEqual({ ...fields, sysFlag: storedSysFlag(fields), size })
        expect(bodyCrc).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  it('is incomplete, never something else, when cut off at any byte', () => {
    fc.assert(
      fc.property(record, (fields) => {
        const bytes = encoded(fields)
        for (let length = 0; length < bytes.length; length += 1) {
          const scan = scanFrame(bytes.subarray(0, length), 0, limits)
          expect(scan).toEqual({ kind: 'incomplete', needed: length < 8 ? 8 : bytes.length })
          expect(() => decodeRecord(bytes.subarray(0, length), 0)).toThrow(BrokerError)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('with damaged bytes is refused with LOG_CORRUPT or read within its bounds', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(record, damage, fc.boolean(), (fields, flips, checkBodyCrc) => {
        const bytes = encoded(fields)
        for (const [at, mask] of flips) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ mask
        try {
          const decoded = decodeRecord(bytes, 0, { checkBodyCrc })
          expect(decoded.size).toBeLessThanOrEqual(bytes.length)
          expect(decoded.body.byteOffset).toBeGreaterThanOrEqual(bytes.byteOffset)
          expect(decoded.body.byteOffset + decoded.body.length).toBeLessThanOrEqual(
            bytes.byteOffset + bytes.length,
          )
          expect(decoded.topic.length + decoded.properties.length).toBeLessThan(bytes.length)
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'LOG_CORRUPT' })
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('is not mistaken: random bytes scan to something bounded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (random, at) => {
        const scan = scanFrame(Buffer.from(random), at, limits)
        if (scan.kind === 'message') expect(at + scan.size).toBeLessThanOrEqual(random.length)
        if (scan.kind === 'blank') expect(scan.size).toBeLessThanOrEqual(limits.segmentBytes)
        if (scan.kind === 'incomplete') expect(scan.needed).toBeLessThanOrEqual(limits.recordBytesMax)
      }),
      { numRuns: 2000 },
    )
  })

  it('with a checksum tail notices every changed byte', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (fields, at, mask) => {
        const size = recordSize(fields, { propertyCrc: true })
        const bytes = Buffer.alloc(size)
        expect(encodeRecord(bytes, 0, fields, { propertyCrc: true })).toBe(size)
        expect(checkPropertyCrc(bytes, 0, size)).toBe('right')
        expect(decodeRecord(bytes, 0).properties.slice(0, -20)).toBe(propertiesBeforeCrc(fields.properties))
        bytes[at % size] = (bytes[at % size] ?? 0) ^ mask
        expect(checkPropertyCrc(bytes, 0, size)).not.toBe('right')
      }),
    )
  })
})
