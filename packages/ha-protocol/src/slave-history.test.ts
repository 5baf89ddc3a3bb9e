import { expect, test } from 'vitest'
import { SlaveHistory } from './slave-history.ts'

function differing(...ranges: readonly (readonly [number, number])[]): SlaveHistory {
  const history = new SlaveHistory(0, () => 0)
  for (const [from, to] of ranges) history.learnedMismatch({ from, to })
  return history
}

test.each([
  ['all of it', [90, 210], []],
  ['its begin', [90, 150], [[150, 200]]],
  ['its end', [150, 210], [[100, 150]]],
  [
    'a part of it',
    [120, 150],
    [
      [100, 120],
      [150, 200],
    ],
  ],
  ['what lies beside it', [200, 300], [[100, 200]]],
] as const)(
  'of a range that differed and of which %s is the same again, the rest remains',
  (_what, equal, rest) => {
    const history = differing([100, 200])
    const [from, to] = equal
    expect(history.learnedEqual({ from, to })).toBe(equal[0] < 200)
    expect(history.mismatches.map((range) => [range.from, range.to])).toEqual(rest)
  },
)

test('however a master cuts what differs into pieces, no more than 64 are kept', () => {
  const history = differing([0, 10_000])
  for (let at = 0; at < 10_000; at += 100) history.learnedEqual({ from: at, to: at + 1 })
  expect(history.mismatches).toHaveLength(64)
})
