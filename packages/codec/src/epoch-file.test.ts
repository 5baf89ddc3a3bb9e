import fc from 'fast-check'
import { InvariantViolation } from '@tandemmq/base'
import { describe, expect, it } from 'vitest'
import { decodeEpochFile, encodeEpochFile } from './epoch-file.ts'

const text = '2\n773307083\n7-7000\n8-8000\n'
const entries = [
  { epoch: 7, start: 7000 },
  { epoch: 8, start: 8000 },
]

describe('the epoch file', () => {
  it('has the text RocketMQ gives it', () => {
    expect(encodeEpochFile(entries)).toBe(text)
    expect(decodeEpochFile(text)).toEqual(entries)
  })

  it('reads back as what was written', () => {
    const step = fc.record({
      epoch: fc.integer({ min: 1, max: 9 }),
      start: fc.integer({ min: 1, max: 2 ** 40 }),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        let last = { epoch: 0, start: -1 }
        const ascending = steps.map(
          (by) => (last = { epoch: last.epoch + by.epoch, start: last.start + by.start }),
        )
        expect(decodeEpochFile(encodeEpochFile(ascending))).toEqual(ascending)
      }),
    )
  })

  it('is also accepted with a checksum of 0, without its last line end, and with those of Windows', () => {
    expect(decodeEpochFile(text.replace('773307083', '0'))).toEqual(entries)
    expect(decodeEpochFile(text.trimEnd())).toEqual(entries)
    expect(decodeEpochFile('1\r\n0\r\n7-7000\r\n')).toEqual([entries[0]])
  })

  it.each([
    ['nothing', ''],
    ['no checksum', '2\n'],
    ['a head of words', 'two\n0\n7-7000\n8-8000\n'],
    ['too few entries', '2\n0\n7-7000\n'],
    ['too many entries', '1\n0\n7-7000\n8-8000\n'],
    ['no entries', '0\n0\n'],
    ['another checksum', text.replace('8-8000', '8-8001')],
    ['an entry that is none', '1\n0\n7:7000\n'],
    ['a start beyond 2^53', '1\n0\n7-9007199254740993\n'],
    ['a falling epoch', '2\n0\n8-7000\n7-8000\n'],
    ['a start twice', '2\n0\n7-7000\n8-7000\n'],
  ])('is refused with %s', (_what, bad) => {
    expect(() => decodeEpochFile(bad)).toThrow(expect.objectContaining({ code: 'STATE_FILE_CORRUPT' }))
  })

  it('is never written for no epochs', () => {
    expect(() => encodeEpochFile([])).toThrow(InvariantViolation)
  })
})
