import { expect, test } from 'vitest'
import { tidyViolations } from './tidy-rules.ts'

function sentences(content: string, path = 'packages/x/src/x.ts'): string {
  return tidyViolations({ path, content }).join('\n')
}

/** A word that must not stand in this file as a whole. */
function word(...pieces: readonly string[]): string {
  return pieces.join('')
}

test('a tidy file has nothing said about it', () => {
  expect(sentences('/** Why. */\nexport const x = 1\n')).toBe('')
  expect(sentences('x\n'.repeat(5_000), 'packages/rpc/src/gen/x.ts')).toBe('')
})

test.each([
  ['x\n'.repeat(401), '401 lines'],
  [word('// @ts-', 'expect-error'), 'mend it'],
  [word('// oxlint', '-disable-next-line'), 'mend it'],
  [word('/* v8', ' ignore next */'), 'mend it'],
  [word('// TO', 'DO later'), 'an issue number'],
  [word('see /ho', 'me/anna/notes'), 'not in the repository'],
])('%s is untidy', (content, why) => {
  expect(sentences(content)).toContain(why)
})

test('names and switched-off tests are looked at too', () => {
  expect(sentences('', 'packages/x/src/utils.ts')).toContain('named after the one thing')
  expect(sentences(word('test.on', "ly('x')"), 'packages/x/src/x.test.ts')).toContain('a test runs or goes')
  expect(sentences(word('// TO', 'DO #7 later'))).toBe('')
})
