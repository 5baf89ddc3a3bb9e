import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  FieldReader,
  FieldWriter,
  encodeJournalRecord,
  findJournalRecord,
  scanJournalRecord,
} from './index.ts'

const record = { tag: 3, durable: 2 ** 40, payload: Buffer.from('progress') }

test('a record has the documented bytes', () => {
  expect(encodeJournalRecord({ tag: 3, durable: 258, payload: Buffer.from('ab') }).toString('hex')).toBe(
    ['544d514a', '01', '03', '0000', '0000000000000102', '00000002', '6162', '5c38bd63'].join(''),
  )
})

test('a record is read back; cut anywhere or altered anywhere it is unsound', () => {
  const bytes = encodeJournalRecord(record)
  expect(scanJournalRecord(bytes, 0)).toEqual({ kind: 'record', record, size: bytes.length })
  for (let length = 1; length < bytes.length; length++) {
    expect(scanJournalRecord(bytes.subarray(0, length), 0).kind).toBe('unsound')
  }
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes)
    altered[at] = (altered[at] ?? 0) ^ 0x40
    expect(scanJournalRecord(altered, 0).kind).toBe('unsound')
  }
  expect(scanJournalRecord(bytes, bytes.length).kind).toBe('end')
})

test('the next record is found behind garbage', () => {
  const bytes = Buffer.concat([Buffer.from('garbage TMQ'), encodeJournalRecord(record)])
  expect(findJournalRecord(bytes, 0)).toBe(11)
  expect(findJournalRecord(bytes, 12)).toBe(-1)
})

test('fields survive, unknown ones are skipped, and any cut is noticed or harmless', () => {
  const bytes = new FieldWriter(16)
    .text(1, 'Ünïcode')
    .number(2, Number.MAX_SAFE_INTEGER)
    .bytes(99, Buffer.alloc(300))
    .number(3, 0)
    .finish()
  expect(read(bytes)).toEqual(['Ünïcode', Number.MAX_SAFE_INTEGER, 0])
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), (length) => {
      try {
        expect([0, 1, 2]).toContain(read(bytes.subarray(0, length)).length)
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'PROTOCOL_VIOLATION' })
      }
    }),
  )
  expect(() => new FieldReader(Buffer.alloc(9, 0xff), 'test').varint()).toThrow(/too long/)
  expect(() => new FieldReader(Buffer.from('ffffffffffffff7f', 'hex'), 'test').varint()).toThrow(/2\^53/)
  expect(() => new FieldWriter().varint(-1)).toThrow(/no integer/)
  expect(() => new FieldWriter().varint(2 ** 53)).toThrow(/no integer/)
})

function read(source: Buffer): unknown[] {
  const found: unknown[] = []
  const reader = new FieldReader(source, 'test')
  while (reader.next()) {
    if (reader.tag === 1) found.push(reader.text())
    if (reader.tag === 2 || reader.tag === 3) found.push(reader.number())
  }
  return found
}
