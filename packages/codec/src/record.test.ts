import { describe, expect, it } from 'vitest'
import { crc32m } from './crc32m.ts'
import { decodeRecord } from './decode-record.ts'
import { encodeRecord, recordSize } from './encode-record.ts'
import type { RecordFields } from './log-record.ts'
import { checkPropertyCrc } from './property-crc.ts'

const fields: RecordFields = {
  version: 1,
  queueId: 3,
  flag: 0,
  queueOffset: 7,
  physicalOffset: 4096,
  sysFlag: 0,
  bornTimestamp: 1700000000000,
  bornHost: { ip: '127.0.0.1', port: 54321 },
  storeTimestamp: 1700000000001,
  storeHost: { ip: '127.0.0.1', port: 10911 },
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: Buffer.from('hello'),
  topic: 'TopicTest',
  properties: 'TAGS\u0001TagA\u0002WAIT\u0001true\u0002',
}

const bytes = Buffer.from(
  `0000007d daa320a7 3610a686 00000003 00000000 0000000000000007 0000000000001000 00000000
   0000018bcfe56800 7f000001 0000d431 0000018bcfe56801 7f000001 00002a9f 00000000
   0000000000000000 00000005 68656c6c6f 09 546f70696354657374
   0014 54414753 01 54616741 02 57414954 01 74727565 02`.replaceAll(/\s/g, ''),
  'hex',
)

describe('a record', () => {
  it('has the bytes RocketMQ gives it', () => {
    const target = Buffer.alloc(200, 0xee)

    expect(encodeRecord(target, 10, fields)).toBe(125)
    expect(recordSize(fields)).toBe(125)
    expect(target.subarray(10, 135).toString('hex')).toBe(bytes.toString('hex'))
    expect(target[135]).toBe(0xee)
  })

  it('reads back as what was written', () => {
    expect(decodeRecord(bytes, 0)).toEqual({ ...fields, size: 125, bodyCrc: 907060870 })
  })

  it('ends in a checksum of the whole where asked to', () => {
    const target = Buffer.alloc(145)

    expect(encodeRecord(target, 0, fields, { propertyCrc: true })).toBe(145)
    expect(decodeRecord(target, 0).properties).toBe(`${fields.properties}__CRC32#\u00018739951191\u0002`)
    expect(checkPropertyCrc(target, 0, 145)).toBe('right')
    expect(crc32m(target.subarray(0, 125))).toBe(1911599378)
  })
})
