import { expect, test } from 'vitest'
import { outcomesOf, outcomesOfKills } from './outcomes.ts'
import { Broken, type Recovery } from './recoveries.ts'

function recovery(name: string): Recovery {
  const outcome = new Broken(name)
  return { where: name, level: 0, outcome, afterPowerCuts: [], afterKills: [], outcomes: undefined }
}

function namesOf(outcomes: Iterable<unknown>): string {
  return [...outcomes]
    .map((outcome) => (outcome instanceof Broken ? outcome.words : '?'))
    .toSorted()
    .join('')
}

// It would miss what only the second of two crashes breaks, or never end where recoveries lead back to one another.
test('a recovery answers for all that can follow from it, and no other', () => {
  const [a, b, c, d, e, f] = ['a', 'b', 'c', 'd', 'e', 'f'].map(recovery)
  if (!a || !b || !c || !d || !e || !f) throw new Error('six recoveries')
  a.afterPowerCuts = [b, a]
  b.afterPowerCuts = [c]
  c.afterKills = [d]
  c.afterPowerCuts = [a, e]
  f.afterKills = [a, e]
  // `e` and `d` lead nowhere; `a`, `b` and `c` to one another.
  expect(namesOf(outcomesOf(b))).toBe('abcde')
  expect(namesOf(outcomesOf(a))).toBe('abcde')
  expect(namesOf(outcomesOf(d))).toBe('d')
  expect(namesOf(outcomesOf(f))).toBe('abcdef')
  expect(namesOf(outcomesOfKills(f))).toBe('aef')
})

/** The same as the tested function, found without any memory. */
function reached(root: Recovery): string {
  const seen = new Set([root])
  for (const { afterPowerCuts } of seen) for (const next of afterPowerCuts) seen.add(next)
  return namesOf([...seen].map(({ outcome }) => outcome))
}

test('what a recovery answers for is the same whoever asks first', () => {
  const all = Array.from({ length: 40 }, (_, index) => recovery(String.fromCodePoint(0x4e00 + index)))
  for (const [index, one] of all.entries())
    one.afterPowerCuts = [all[(index * 7 + 3) % 40], all[(index * 5) % 40]].flatMap((next) => next ?? [])
  for (const one of all) expect(namesOf(outcomesOf(one))).toBe(reached(one))
})
