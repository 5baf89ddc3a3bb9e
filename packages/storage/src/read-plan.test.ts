import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planReads, type ReadLimits } from './read-plan.ts'

const MIB = 1024 * 1024
const limits: ReadLimits = { begin: 0, end: 64 * MIB, segmentBytes: 16 * MIB, pieceBytes: 256 * 1024 }

/** `count` records of `size` bytes, one every `step` bytes. */
function row(from: number, count: number, size: number, step = size): { offset: number; size: number }[] {
  return Array.from({ length: count }, (_, index) => ({ offset: from + index * step, size }))
}

test('records of a queue that lie near each other come in one read, and with them what lies behind', () => {
  expect(planReads(row(1000, 32, 1024, 4096), limits)).toEqual([
    { from: 1000, to: 1000 + 31 * 4096 + 1024, aheadTo: 1000 + 256 * 1024 },
  ])
})

test('a record alone, and records far from each other, are read without anything else', () => {
  expect(planReads(row(0, 3, 500, MIB), limits)).toEqual(
    [0, MIB, 2 * MIB].map((from) => ({ from, to: from + 500, aheadTo: from + 500 })),
  )
})

test('a read ends with its segment, and with what may be read', () => {
  const last = 16 * MIB - 3000
  expect(planReads([...row(last, 2, 1000), ...row(16 * MIB, 2, 1000)], limits)).toEqual([
    { from: last, to: last + 2000, aheadTo: 16 * MIB },
    { from: 16 * MIB, to: 16 * MIB + 2000, aheadTo: 16 * MIB + 256 * 1024 },
  ])
  const end = 5000
  expect(planReads(row(0, 9, 1000), { ...limits, end })).toEqual([{ from: 0, to: end, aheadTo: end }])
  expect(planReads(row(0, 9, 1000), { ...limits, begin: 8000 })[0]?.from).toBe(8000)
})

test('whatever is asked for: every readable place lies in one read, none goes beyond what may be read or over a segment end', () => {
  const place = fc.record({
    offset: fc.integer({ min: -5, max: 5000 }),
    size: fc.integer({ min: -1, max: 900 }),
  })
  const small = { segmentBytes: 1000, pieceBytes: 300 }
  fc.assert(
    fc.property(fc.array(place), fc.nat(2000), fc.nat(5000), (places, begin, end) => {
      const reads = planReads(places, { ...small, begin, end })
      for (const { from, to, aheadTo } of reads) {
        expect(from).toBeGreaterThanOrEqual(begin)
        expect(to).toBeLessThanOrEqual(aheadTo)
        expect(aheadTo).toBeLessThanOrEqual(end)
        expect(Math.floor(from / 1000)).toBe(Math.floor((aheadTo - 1) / 1000))
      }
      for (const { offset, size } of places) {
        const isOneSegment = Math.floor(offset / 1000) === Math.floor((offset + size - 1) / 1000)
        if (size <= 0 || offset < begin || offset + size > end || !isOneSegment) continue
        expect(reads.some(({ from, to }) => from <= offset && offset + size <= to)).toBe(true)
      }
    }),
  )
})
