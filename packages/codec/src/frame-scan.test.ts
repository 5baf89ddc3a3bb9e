import { describe, expect, it } from 'vitest'
import { encodeBlank } from './blank.ts'
import { encodeRecord } from './encode-record.ts'
import { scanFrame, type ScanLimits } from './frame-scan.ts'
import type { RecordFields } from './log-record.ts'

const limits: ScanLimits = { recordBytesMax: 1000, segmentBytes: 4096 }

const fields: RecordFields = {
  version: 2,
  queueId: 0,
  flag: 0,
  queueOffset: 0,
  physicalOffset: 500,
  sysFlag: 0,
  bornTimestamp: 1,
  bornHost: { ip: '::1', port: 1 },
  storeTimestamp: 2,
  storeHost: { ip: '10.0.0.1', port: 2 },
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: Buffer.from('body'),
  topic: 'T',
  properties: '',
}

/** A v2 record of 92 + 12 bytes and 5 of content; `edit` spoils it. */
function scanned(edit: (bytes: Buffer) => void, offset?: number) {
  const bytes = Buffer.alloc(200)
  expect(encodeRecord(bytes, 0, fields)).toBe(109)
  edit(bytes)
  return scanFrame(bytes, 0, limits, offset)
}

describe('a frame', () => {
  it('is a blank of the size it claims, although only eight bytes of it are there', () => {
    const bytes = Buffer.alloc(8)
    expect(encodeBlank(bytes, 0, 1000)).toBe(8)
    expect(bytes.toString('hex')).toBe('000003e8cbd43194')
    expect(scanFrame(bytes, 0, limits)).toEqual({ kind: 'blank', size: 1000 })
  })

  it('is corrupt as a blank that is longer than a segment', () => {
    const bytes = Buffer.alloc(8)
    encodeBlank(bytes, 0, 4097)
    expect(scanFrame(bytes, 0, limits)).toEqual({ kind: 'corrupt', why: 'size-out-of-range' })
  })

  it('is empty where the size is zero, even before the magic can be seen', () => {
    expect(scanFrame(Buffer.alloc(8), 0, limits)).toEqual({ kind: 'empty' })
    expect(scanFrame(Buffer.alloc(4), 0, limits)).toEqual({ kind: 'empty' })
    expect(scanFrame(Buffer.alloc(3), 0, limits)).toEqual({ kind: 'incomplete', needed: 8 })
  })

  it.each([-1, 7, 90, 1001])('is corrupt with a size of %i, before more bytes are asked for', (size) => {
    expect(scanned((bytes) => bytes.writeInt32BE(size, 0))).toEqual({
      kind: 'corrupt',
      why: 'size-out-of-range',
    })
  })

  it('is corrupt with a magic that nobody writes', () => {
    expect(scanned((bytes) => bytes.writeUInt32BE(0xdaa320a8, 4))).toEqual({
      kind: 'corrupt',
      why: 'unknown-magic',
    })
  })

  it('is a message only with inner lengths that add up', () => {
    const disagree = { kind: 'corrupt', why: 'lengths-disagree' }
    expect(scanned(() => {})).toEqual({ kind: 'message', size: 109 })
    expect(scanned((bytes) => bytes.writeInt32BE(110, 0))).toEqual(disagree)
    expect(scanned((bytes) => bytes.writeInt32BE(5, 96))).toEqual(disagree) // body
    expect(scanned((bytes) => bytes.writeInt32BE(-1, 96))).toEqual(disagree)
    expect(scanned((bytes) => bytes.writeInt32BE(0x7fffffff, 96))).toEqual(disagree)
    expect(scanned((bytes) => bytes.writeInt16BE(2, 104))).toEqual(disagree) // topic
    expect(scanned((bytes) => bytes.writeInt16BE(-1, 104))).toEqual(disagree)
    expect(scanned((bytes) => bytes.writeInt16BE(1, 107))).toEqual(disagree) // properties
    expect(scanned((bytes) => bytes.writeInt16BE(-1, 107))).toEqual(disagree)
    expect(scanned((bytes) => bytes.writeInt32BE(0, 36))).toEqual(disagree) // born host is not IPv6 after all
    expect(scanned((bytes) => bytes.writeUInt32BE(0xdaa320a7, 4))).toEqual(disagree) // nor version 2
  })

  it('is corrupt when it says that it lies elsewhere', () => {
    expect(scanned(() => {}, 500)).toEqual({ kind: 'message', size: 109 })
    expect(scanned(() => {}, 501)).toEqual({ kind: 'corrupt', why: 'wrong-offset' })
    expect(scanned((bytes) => bytes.writeInt32BE(-1, 28))).toEqual({ kind: 'corrupt', why: 'wrong-offset' })
  })
})
