import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listedRules, namedRules, ruleViolations, statedRules } from './protocol-rules.ts'
import { root } from './step.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

test('every rule of the protocol is shown by a test whose title carries its number, or is said to be not built', () => {
  const stated = statedRules(read('docs/own-protocol.md'))
  expect(stated.length).toBeGreaterThan(40)
  const sourceOf = (path: string): string | undefined =>
    existsSync(join(root, path)) ? read(path) : undefined
  expect(ruleViolations(stated, listedRules(read('ARCHITECTURE.md')), sourceOf)).toEqual([])
})

test('titles name rules, one or several; comments and other texts do not', () => {
  const source = `
    test('a (rule 2.4)', () => {})
    describe("b (rules 2.5, 2.6)", () => {})
    test.each([
      ['x', 1],
    ])('rule 3.10: %s', () => {
      // rule 9.1
      expect(text).toBe('rule 9.2')
    })`
  expect([...namedRules(source)]).toEqual(['2.4', '2.5', '2.6', '3.10'])
})

test('a rule without a place, a place without a rule, and a test that names nothing are found', () => {
  const stated = statedRules('- **1.1 [F]** one\n- **1.2** two\n- **1.3** three\n')
  const listed = listedRules(
    '## Rule and test\n1.1 [a](a.test.ts), 1.2 not built, 7.7 [b](b.test.ts)\n## Next\n',
  )
  const sources = new Map([['a.test.ts', "test('nothing', f)"]])
  expect(ruleViolations(stated, listed, (path) => sources.get(path))).toEqual([
    'rule 1.3 has no place in the table',
    'the table has a rule 7.7 that nobody states',
    'no title of a test in a.test.ts names rule 1.1',
    'rule 7.7 is shown by b.test.ts, which is not there',
  ])
})
