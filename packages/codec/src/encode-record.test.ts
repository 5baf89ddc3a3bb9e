import { InvariantViolation } from '@tandemmq/base'
import { describe, expect, it } from 'vitest'
import { decodeRecord } from './decode-record.ts'
import { encodeRecord, recordSize, recordVersionFor } from './encode-record.ts'
import type { RecordFields } from './log-record.ts'

const fields: RecordFields = {
  version: 1,
  queueId: 0,
  flag: 0,
  queueOffset: 0,
  physicalOffset: 0,
  sysFlag: 0,
  bornTimestamp: 0,
  bornHost: { ip: '127.0.0.1', port: 1 },
  storeTimestamp: 0,
  storeHost: { ip: '127.0.0.1', port: 1 },
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: Buffer.alloc(0),
  topic: 'T',
  properties: '',
}

describe('encoding a record', () => {
  it('takes the version that RocketMQ takes for the topic', () => {
    expect(recordVersionFor('é'.repeat(127))).toBe(1)
    expect(recordVersionFor('t'.repeat(128))).toBe(2)
  })

  it.each<[string, Partial<RecordFields>]>([
    ['a topic of more than 127 bytes in version 1', { topic: 'é'.repeat(64) }],
    ['properties of more than 32767 bytes', { properties: 'p'.repeat(32768) }],
  ])('refuses %s', (_what, change) => {
    const refused = { ...fields, ...change }
    const target = Buffer.alloc(100_000)
    expect(() => recordSize(refused)).toThrow(expect.objectContaining({ code: 'MESSAGE_ILLEGAL' }))
    expect(() => encodeRecord(target, 0, refused)).toThrow(
      expect.objectContaining({ code: 'MESSAGE_ILLEGAL' }),
    )
  })

  it.each<[string, Partial<RecordFields>]>([
    ['a flag that is no i32', { flag: 2 ** 31 }],
    ['a queue id that is no integer', { queueId: 0.5 }],
    ['a negative position', { physicalOffset: -1 }],
    ['a timestamp beyond 2^53', { bornTimestamp: 2 ** 53 }],
    ['a port beyond 65535', { bornHost: { ip: '127.0.0.1', port: 65536 } }],
  ])('refuses %s', (_what, change) => {
    const target = Buffer.alloc(1000)
    expect(() => encodeRecord(target, 0, { ...fields, ...change })).toThrow(
      expect.objectContaining({ code: 'MESSAGE_ILLEGAL' }),
    )
  })

  it('takes the longest topic and properties there can be', () => {
    const long = { ...fields, version: 2 as const, topic: 't'.repeat(32767), properties: 'p'.repeat(32767) }
    const target = Buffer.alloc(recordSize(long))
    expect(encodeRecord(target, 0, long)).toBe(target.length)
    expect(decodeRecord(target, 0)).toMatchObject({ topic: long.topic, properties: long.properties })
  })

  it('never cuts anything off to fit its target', () => {
    const full = { ...fields, body: Buffer.from('body'), topic: 'töpic', properties: 'prøperty' }
    const size = recordSize(full)
    for (let length = 0; length < size; length += 1) {
      expect(() => encodeRecord(Buffer.alloc(length), 0, full), `${length}`).toThrow()
    }
    for (let length = size - 10; length < size; length += 1) {
      expect(() => encodeRecord(Buffer.alloc(length), 0, full), `${length}`).toThrow(InvariantViolation)
    }
  })

  it('replaces an earlier checksum and closes the last pair before its own', () => {
    const target = Buffer.alloc(1000)
    encodeRecord(
      target,
      0,
      { ...fields, properties: '__CRC32#\u00010000000000\u0002a\u0001b' },
      { propertyCrc: true },
    )
    expect(decodeRecord(target, 0).properties).toMatch(/^a.b.__CRC32#.\d{10}.$/)
  })
})
