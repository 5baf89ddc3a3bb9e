import { expect, it } from 'vitest'
import { decodeRecord } from './decode-record.ts'
import { DispatchFieldsReader } from './dispatch-fields.ts'
import { encodeRecord, recordVersionFor } from './encode-record.ts'

const sample = {
  version: 1 as const,
  queueId: 3,
  flag: 7,
  queueOffset: 11,
  physicalOffset: 4096,
  sysFlag: 0,
  bornTimestamp: 1_700_000_000_000,
  storeTimestamp: 1_700_000_000_500,
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: Buffer.from('body'),
  properties: 'TAGS\u0001Größe\u0002',
}

it('what recovery reads of a record is what decodeRecord reads, and it refuses the same', () => {
  const fields = new DispatchFieldsReader()
  for (const ip of ['10.0.0.1', '::2'])
    for (const topic of ['orders', 't'.repeat(200)]) {
      const host = { ip, port: 65535 }
      const version = recordVersionFor(topic)
      const bytes = Buffer.alloc(600)
      const size = encodeRecord(bytes, 5, { ...sample, version, topic, bornHost: host, storeHost: host })
      const record = decodeRecord(bytes, 5)
      fields.look(bytes)
      expect(fields.take(5, size)).toBe(true)
      const { queueId, queueOffset, physicalOffset, sysFlag, storeTimestamp, properties } = fields
      expect(record).toMatchObject({ size, queueId, queueOffset, physicalOffset, sysFlag, storeTimestamp })
      expect(record).toMatchObject({ topic: fields.topic, properties })
      expect(fields.propertiesBytes).toBe(Buffer.byteLength(sample.properties))
      expect(fields.behindBodyBytes).toBe(version + topic.length + 2 + fields.propertiesBytes)
      expect(fields.isBodyRight).toBe(true)
      const bodyAt = bytes.indexOf('body')
      bytes[bodyAt] = 0
      expect(fields.isBodyRight).toBe(false)
      bytes.write('body', bodyAt)
      const portAt = bytes.indexOf(Buffer.from([0, 0, 0xff, 0xff]), 48)
      bytes[portAt] = 1
      expect(() => decodeRecord(bytes, 5)).toThrow('port')
      expect(fields.take(5, size)).toBe(false)
    }
})

it('texts are those of the record taken last, also where topics share a place in memory', () => {
  const fields = new DispatchFieldsReader()
  const host = { ip: '10.0.0.1', port: 1 }
  const bytes = Buffer.alloc(600)
  fields.look(bytes)
  // More topics than places, each twice.
  for (let n = 0; n < 4000; n += 1) {
    const topic = `topic-${n % 2000}`
    const properties = `KEYS\u0001${n}\u0002`
    const size = encodeRecord(bytes, 0, { ...sample, topic, properties, bornHost: host, storeHost: host })
    expect(fields.take(0, size)).toBe(true)
    expect([fields.topic, fields.properties]).toEqual([topic, properties])
  }
})
