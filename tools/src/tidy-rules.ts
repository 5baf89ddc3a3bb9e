import { root } from './step.ts'
import { isGenerated, isTestCode, type SourceFile } from './source-file.ts'

const LINES_MAX = 400
/** Put together from pieces, so that this file does not find itself. */
const SUPPRESSIONS = new RegExp(
  [
    '@ts-(?:ignore|nocheck|expect-error)',
    '(?:oxlint|eslint|biome)-(?:disable|ignore)',
    '(?:v8|istanbul|c8) ignore',
  ]
    .map((words) => `(?:${words})`)
    .join('|'),
  'g',
)
const SWITCHED_OFF = /\b(?:test|it|describe|suite)\.(?:skip|only|todo|fails)\b/g
const UNFINISHED = new RegExp(
  `\\b(?:${['TO', 'FIX'].map((word, index) => `${word}${['DO', 'ME'][index]}`).join('|')})\\b(?! #\\d)`,
  'g',
)
const VAGUE_NAMES = /\/(?:utils?|helpers?|common|types|misc|manager|impl)\.ts$/
/** Sources refer to what is in the repository, not to a directory of whoever wrote them. */
const OUTSIDE = new RegExp(['home', 'Users', 'root'].map((name) => `(?<![\\w.])/${name}/\\w+`).join('|'), 'g')

/** What is untidy in a source file, one sentence each. */
export function tidyViolations({ path, content }: SourceFile): readonly string[] {
  if (isGenerated(path)) return []
  const lines = content.split('\n').length - 1
  const found = (pattern: RegExp, why: string): readonly string[] =>
    (content.match(pattern) ?? []).map((text) => `${path}: ${text}: ${why}`)
  return [
    ...(lines > LINES_MAX ? [`${path} has ${lines} lines: more than one concept?`] : []),
    ...(VAGUE_NAMES.test(path) ? [`${path}: a file is named after the one thing in it`] : []),
    ...found(SUPPRESSIONS, 'mend it or change the rule for all'),
    ...(isTestCode(path) ? found(SWITCHED_OFF, 'a test runs or goes') : []),
    ...found(UNFINISHED, 'an issue number belongs to it'),
    ...found(OUTSIDE, 'this is not in the repository'),
    ...(content.includes(`${root}/`) ? [`${path} names the directory it lies in on this machine`] : []),
  ]
}
