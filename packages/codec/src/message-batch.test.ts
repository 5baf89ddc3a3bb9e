import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeInnerBatch } from './inner-batch.ts'
import { decodeMessageBatch, encodeMessageBatch } from './message-batch.ts'

const hex = '00000025 00000000 00000000 00000000 00000005 68656c6c6f 000a 54414753 01 54616741 02'.replaceAll(
  ' ',
  '',
)
const hello = { flag: 0, body: Buffer.from('hello'), properties: 'TAGS\u0001TagA\u0002' }

const element = fc.record({
  flag: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  body: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  properties: fc.string({ unit: 'grapheme', maxLength: 20 }),
})
const batch = fc.array(element, { maxLength: 5 })

describe('a batch', () => {
  it('has the bytes RocketMQ gives it', () => {
    expect(encodeMessageBatch([hello]).toString('hex')).toBe(hex)
    expect(decodeMessageBatch(Buffer.from(hex + hex, 'hex'))).toEqual([hello, hello])
    expect(decodeMessageBatch(Buffer.alloc(0))).toEqual([])
  })

  it('decodes to what was encoded', () => {
    fc.assert(
      fc.property(batch, (elements) => {
        expect(decodeMessageBatch(encodeMessageBatch(elements))).toEqual(elements)
      }),
    )
  })

  it('does not mind what clients put in the magic and checksum fields', () => {
    const bytes = encodeMessageBatch([hello])
    bytes.fill(0xff, 4, 12)
    expect(decodeMessageBatch(bytes)).toEqual([hello])
  })

  it('is refused when cut off inside an element', () => {
    const bytes = encodeMessageBatch([hello, hello])
    for (let length = 1; length < bytes.length; length += 1) {
      if (length === bytes.length / 2) continue
      expect(() => decodeMessageBatch(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'MESSAGE_ILLEGAL' }),
      )
    }
  })

  it('with damaged bytes is refused or stays within its bounds', () => {
    fc.assert(
      fc.property(batch, fc.nat(), fc.integer({ min: 1, max: 255 }), (elements, at, mask) => {
        const bytes = encodeMessageBatch([hello, ...elements])
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ mask
        try {
          const total = decodeMessageBatch(bytes).reduce((sum, { body }) => sum + body.length, 0)
          expect(total).toBeLessThan(bytes.length)
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'MESSAGE_ILLEGAL' })
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses properties that do not fit their length field', () => {
    expect(() => encodeMessageBatch([{ ...hello, properties: 'p'.repeat(32768) }])).toThrow(
      expect.objectContaining({ code: 'MESSAGE_ILLEGAL' }),
    )
  })
})

describe('an inner batch', () => {
  const record = {
    body: encodeMessageBatch([hello, hello]),
    properties: 'INNER_BASE\u00017\u0002INNER_NUM\u00012\u0002',
    physicalOffset: 99,
  }

  it('gives each message its own queue offset', () => {
    expect(decodeInnerBatch(record)).toEqual([
      { ...hello, queueOffset: 7 },
      { ...hello, queueOffset: 8 },
    ])
  })

  it.each([
    'INNER_NUM\u00012\u0002',
    'INNER_BASE\u00017\u0002INNER_NUM\u00013\u0002',
    'INNER_BASE\u0001x\u0002INNER_NUM\u00012',
  ])('is corrupt if its properties are %j', (properties) => {
    expect(() => decodeInnerBatch({ ...record, properties })).toThrow(
      expect.objectContaining({ code: 'LOG_CORRUPT', facts: { offset: 99 } }),
    )
  })

  it('is corrupt if its body is no batch', () => {
    expect(() => decodeInnerBatch({ ...record, body: Buffer.from('compressed') })).toThrow(
      expect.objectContaining({ code: 'LOG_CORRUPT' }),
    )
  })
})
