import { BrokerError } from '@tandemmq/base'
import { expect, test } from 'vitest'
import { decodeNames, encodeNames } from './ha-names-field.ts'

const short = Buffer.from('ab')

/** As a peer could write them. */
function field(names: readonly Buffer[]): Buffer {
  return Buffer.concat(names.flatMap((name) => [Buffer.of(name.length), name]))
}

test('names are told one behind the other, and what no member can be called is not', () => {
  expect(decodeNames(encodeNames(['ab', 'é', 'a'.repeat(128), 'c']), 3)).toEqual(['ab', 'é', 'c'])
})

test.each([
  ['more than allowed', field([short, short, short, short])],
  ['an empty one', field([short, Buffer.alloc(0)])],
  ['one that is too long', field([Buffer.alloc(128, 'a')])],
  ['one that is cut off', field([short]).subarray(0, -1)],
  ['a length without a name', Buffer.of(5)],
])('names are refused: %s', (_what, bytes) => {
  expect(() => decodeNames(bytes, 3)).toThrow(BrokerError)
})

test('a name comes without control characters: it is shown to people', () => {
  expect(decodeNames(field([Buffer.from('a\u001B[2J')]), 3)).toEqual(['a?[2J'])
})
