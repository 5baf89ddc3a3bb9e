import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FieldReader, FieldWriter, RangeSet } from './index.ts'

const MAX = 60
const step = fc.tuple(fc.constantFrom('add', 'cut', 'remove'), fc.nat(MAX), fc.integer({ min: 1, max: 9 }))

/** Applies the steps to both, the set and a naive model. */
function built(steps: readonly (readonly [string, number, number])[]): { set: RangeSet; model: Set<number> } {
  const set = new RangeSet()
  const model = new Set<number>()
  for (const [what, at, length] of steps) {
    if (what === 'add') {
      const before = model.size
      for (let value = at; value < at + length; value++) model.add(value)
      expect(set.add(at, at + length)).toBe(model.size > before)
    } else if (what === 'remove') {
      const gone = [...model].filter((value) => value >= at && value < at + length)
      for (const value of gone) model.delete(value)
      expect(set.remove(at, at + length)).toBe(gone.length > 0)
    } else {
      const gone = [...model].filter((value) => value >= at)
      for (const value of gone) model.delete(value)
      expect(set.cut(at)).toBe(gone.length > 0)
    }
  }
  return { set, model }
}

test('a range set behaves as a plain set does, and its ranges never touch', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { set, model } = built(steps)
      let end = -1
      for (const [from, to] of set.ranges()) {
        expect(from).toBeGreaterThan(end)
        expect(to).toBeGreaterThan(from)
        end = to
      }
      for (let value = 0; value <= MAX + 10; value++) {
        expect(set.has(value)).toBe(model.has(value))
        let gap = value
        while (model.has(gap)) gap++
        expect(set.firstGap(value)).toBe(gap)
        const inside = [...model].filter((each) => each >= value && each < value + 7)
        expect(set.countIn(value, value + 7)).toBe(inside.length)
      }
      expect(set.end).toBe(model.size === 0 ? 0 : Math.max(...model) + 1)
    }),
  )
})

test('union takes everything of both, and the encoding brings the same set back', () => {
  fc.assert(
    fc.property(fc.array(step), fc.array(step), (left, right) => {
      const [a, b] = [built(left), built(right)]
      const union = a.set.clone()
      expect(union.union(b.set)).toBe([...b.model].some((value) => !a.model.has(value)))
      for (const value of [...a.model, ...b.model]) expect(union.has(value)).toBe(true)
      expect(union.union(a.set)).toBe(false)
      const writer = new FieldWriter()
      union.encode(writer)
      expect(RangeSet.decode(new FieldReader(writer.finish(), 'test')).equals(union)).toBe(true)
    }),
  )
})

test('ranges that overlap, touch or pass 2^53 are refused', () => {
  expect(() => RangeSet.decode(encoded(0, 5, 0, 1))).toThrow(/holds/)
  expect(() => RangeSet.decode(encoded(3, 0))).toThrow(/holds/)
  expect(() => RangeSet.decode(encoded(Number.MAX_SAFE_INTEGER, 2))).toThrow(/holds/)
  expect(() => RangeSet.decode(encoded(3))).toThrow(/ends inside/)
})

function encoded(...values: number[]): FieldReader {
  const writer = new FieldWriter()
  for (const value of values) writer.varint(value)
  return new FieldReader(writer.finish(), 'test')
}
