import { describe, expect, it } from 'vitest'
import { encodeBlank } from './blank.ts'
import { decodeRecord } from './decode-record.ts'
import { encodeRecord, recordSize } from './encode-record.ts'
import { frameFields } from './frame-fields.ts'
import { scanFrame, type ScanLimits } from './frame-scan.ts'
import { goldenStores, type GoldenStore } from './golden-store.test-data.ts'
import type { LogRecord } from './log-record.ts'
import { decodeProperties, encodeProperties, propertyOf } from './properties.ts'
import { checkPropertyCrc } from './property-crc.ts'

const limits: ScanLimits = { recordBytesMax: 4 * 1024 * 1024 + 65536, segmentBytes: 65536 }

interface Frame {
  readonly kind: 'message' | 'blank'
  readonly file: string
  readonly bytes: Buffer
  readonly at: number
  readonly size: number
  readonly offset: number
}

/** Walks a log as recovery does, up to where nothing was written. */
function framesOf(store: GoldenStore): Frame[] {
  const frames: Frame[] = []
  for (const path of store.list('commitlog')) {
    const file = path.slice('commitlog/'.length)
    const bytes = store.read(path)
    for (let at = 0; at < bytes.length;) {
      const scan = scanFrame(bytes, at, limits, Number(file) + at)
      if (scan.kind === 'empty') break
      if (scan.kind === 'corrupt' || scan.kind === 'incomplete')
        throw new Error(`${path} ${at}: ${JSON.stringify(scan)}`)
      frames.push({ ...scan, file, bytes, at, offset: Number(file) + at })
      at += scan.size
    }
  }
  return frames
}

/** A frame in the words of expected.json. */
function described({ kind, file, bytes, at, size, offset }: Frame): unknown {
  return kind === 'blank'
    ? frameFields({ kind, offset, size }, file)
    : frameFields({ kind, offset, record: decodeRecord(bytes, at) }, file)
}

function recordsOf(store: GoldenStore): { record: LogRecord; frame: Frame }[] {
  return framesOf(store)
    .filter(({ kind }) => kind === 'message')
    .map((frame) => ({ frame, record: decodeRecord(frame.bytes, frame.at) }))
}

describe.each(goldenStores)('the log of $name', (store) => {
  it('decodes field by field as Apache reads it', () => {
    expect(framesOf(store).map(described)).toEqual(store.expected['commitlog'])
  })

  it('is encoded again to the same bytes', () => {
    for (const path of store.list('commitlog')) {
      const file = path.slice('commitlog/'.length)
      const ours = Buffer.alloc(store.segmentBytes)
      for (const { kind, bytes, at, size } of framesOf(store).filter((frame) => frame.file === file)) {
        if (kind === 'blank') encodeBlank(ours, at, size)
        else {
          const record = decodeRecord(bytes, at)
          expect(recordSize(record)).toBe(size)
          expect(encodeRecord(ours, at, record)).toBe(size)
        }
      }
      expect(ours.equals(store.read(path)), path).toBe(true)
    }
  })

  it('has properties that look the same one by one', () => {
    for (const { record } of recordsOf(store)) {
      const properties = decodeProperties(record.properties)
      for (const [name, value] of properties) expect(propertyOf(record.properties, name)).toBe(value)
      expect(decodeProperties(encodeProperties(properties))).toEqual(properties)
    }
  })
})

it('checks and writes the checksum tail as Apache does', () => {
  const store = goldenStores.find(({ name }) => name === 'store-extra')
  expect(store).toBeDefined()
  if (store === undefined) return
  const records = recordsOf(store)
  expect(records).toHaveLength(11)
  for (const { record, frame } of records) {
    expect(checkPropertyCrc(frame.bytes, frame.at, frame.size)).toBe('right')
    const ours = Buffer.alloc(frame.size)
    expect(recordSize(record, { propertyCrc: true })).toBe(frame.size)
    expect(encodeRecord(ours, 0, record, { propertyCrc: true })).toBe(frame.size)
    expect(ours.equals(frame.bytes.subarray(frame.at, frame.at + frame.size))).toBe(true)
  }
})

it('finds the log at the moment of the crash to be a beginning of the later one', () => {
  const [later, crashed] = goldenStores
  if (later === undefined || crashed === undefined) throw new Error('stores are missing')
  const before = framesOf(crashed)
  expect(framesOf(later).slice(0, before.length).map(described)).toEqual(before.map(described))
})
