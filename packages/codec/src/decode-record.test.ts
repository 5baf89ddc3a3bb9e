import { describe, expect, it } from 'vitest'
import { decodeRecord } from './decode-record.ts'
import { encodeRecord } from './encode-record.ts'

const QUEUE_OFFSET_AT = 20
const BORN_TIMESTAMP_AT = 40
const BORN_PORT_AT = 52
const STORE_PORT_AT = 68
const PREPARED_AT = 76

function spoiled(edit: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(100)
  encodeRecord(bytes, 0, {
    version: 1,
    queueId: 0,
    flag: 0,
    queueOffset: 5,
    physicalOffset: 0,
    sysFlag: 0,
    bornTimestamp: 0,
    bornHost: { ip: '127.0.0.1', port: 1 },
    storeTimestamp: 0,
    storeHost: { ip: '127.0.0.1', port: 1 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from('body'),
    topic: 'T',
    properties: '',
  })
  edit(bytes)
  return bytes
}

describe('decoding a record', () => {
  it.each<[string, (bytes: Buffer) => void]>([
    ['a port beyond 65535', (bytes) => bytes.writeInt32BE(65536, BORN_PORT_AT)],
    ['a negative port', (bytes) => bytes.writeInt32BE(-1, STORE_PORT_AT)],
    ['a negative queue offset', (bytes) => bytes.writeInt32BE(-1, QUEUE_OFFSET_AT)],
    ['a queue offset beyond 2^53', (bytes) => bytes.writeInt32BE(0x7fffffff, QUEUE_OFFSET_AT)],
    ['another body than its checksum says', (bytes) => bytes.write('BODY', 88)],
    ['nothing at all', (bytes) => bytes.fill(0)],
  ])('refuses %s', (_what, edit) => {
    expect(() => decodeRecord(spoiled(edit), 0)).toThrow(expect.objectContaining({ code: 'LOG_CORRUPT' }))
  })

  it('takes a body with another checksum when told not to check', () => {
    const bytes = spoiled((original) => original.write('BODY', 88))
    expect(decodeRecord(bytes, 0, { checkBodyCrc: false }).body.toString()).toBe('BODY')
  })

  it('survives timestamps that only a 64-bit integer can hold', () => {
    const bytes = spoiled((original) => {
      original.writeBigInt64BE(2n ** 63n - 1n, BORN_TIMESTAMP_AT)
      original.writeBigInt64BE(-(2n ** 63n), PREPARED_AT)
    })
    expect(decodeRecord(bytes, 0)).toMatchObject({
      bornTimestamp: Number.MAX_SAFE_INTEGER,
      preparedTransactionOffset: Number.MIN_SAFE_INTEGER,
    })
  })
})
