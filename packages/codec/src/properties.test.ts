import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeProperties, encodeProperties, propertyOf } from './properties.ts'

const NV = '\u0001'
const END = '\u0002'

describe('properties', () => {
  it('are written with every pair closed', () => {
    expect(
      encodeProperties([
        ['TAGS', 'TagA'],
        ['WAIT', 'true'],
      ]),
    ).toBe(`TAGS${NV}TagA${END}WAIT${NV}true${END}`)
    expect(encodeProperties(new Map())).toBe('')
  })

  it.each([
    ['', []],
    [`a${NV}b`, [['a', 'b']]],
    [
      `a${NV}b${END}c${NV}d`,
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [`${END}${END}a${NV}b${END}${END}`, [['a', 'b']]],
    [`a${NV}${END}b${NV}c${END}`, [['b', 'c']]], // no value
    [`${NV}a${END}b${NV}c${END}`, [['b', 'c']]], // no name
    [`abc${END}b${NV}c${END}`, [['b', 'c']]], // no pair at all
    [`a${NV}b${NV}c${END}`, [['a', `b${NV}c`]]],
    [`a${NV}b=c d${END}`, [['a', 'b=c d']]],
    [
      `a${NV}1${END}b${NV}2${END}a${NV}3${END}`,
      [
        ['a', '3'],
        ['b', '2'],
      ],
    ],
  ])('read %j as RocketMQ does', (text, pairs) => {
    expect([...decodeProperties(text)]).toEqual(pairs)
  })

  it('decode to what was encoded', () => {
    const part = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !text.includes(NV) && !text.includes(END))
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(part, part), { selector: ([name]) => name }), (pairs) => {
        expect([...decodeProperties(encodeProperties(pairs))]).toEqual(pairs)
      }),
    )
  })

  it('look the same one by one, whatever the text', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', NV, END), maxLength: 20 })
    fc.assert(
      fc.property(text, (properties) => {
        const all = decodeProperties(properties)
        for (const name of ['a', 'b', 'ab', 'ba', 'aa', ''])
          expect(propertyOf(properties, name)).toBe(all.get(name))
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['', 'value'],
    [`a${NV}`, 'value'],
    [`a${END}`, 'value'],
    ['a', `b${NV}c`],
    ['a', `b${END}c${NV}d`],
  ])('refuse the pair %j, %j', (name, value) => {
    expect(() => encodeProperties([[name, value]])).toThrow(
      expect.objectContaining({ code: 'MESSAGE_ILLEGAL' }),
    )
  })
})
