import { expect, test } from 'vitest'
import { parts, partsNamed } from './part.ts'

const namesOf = (words: readonly string[]): readonly string[] => partsNamed(words).map(({ name }) => name)

test('parts are chosen by a piece of their names, in their order; none chosen is all', () => {
  expect(namesOf(['containers', 'ima'])).toEqual(['images', 'containers'])
  expect(namesOf([])).toEqual(parts.map(({ name }) => name))
})

test.each([[['imges']], [['images', 'typo']], [['--help']], [['']]])(
  '%j is refused with the list',
  (words) => {
    expect(() => partsNamed(words)).toThrow(
      /^There is no part ".*": check and unit, fuzz, hostile, simulation, rounds, genuine rocketmq, images, containers\.$/,
    )
  },
)

test('all but the images say how many passed and failed', () => {
  expect(parts.filter(({ countsItself }) => !countsItself).map(({ name }) => name)).toEqual(['images'])
})
