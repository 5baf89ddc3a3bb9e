/** A row of the table of rules in ARCHITECTURE.md: which file shows the rule, or that it is not built. */
export interface RuleRow {
  readonly rule: string
  /** From the root of the repository; absent: said to be not built. */
  readonly test?: string
}

/** Numbers of the rules that a document states, as `- **2.4 …**`. */
export function statedRules(document: string): readonly string[] {
  return [...document.matchAll(/^- \*\*(\d+\.\d+)\b/gm)].map(([, rule = '']) => rule)
}

/** What the table says: `2.4 [file](path)` for a rule with a test, `4.6 not built` for one without. */
export function listedRules(document: string): readonly RuleRow[] {
  const section = /^## Rule and test\n(.*?)^## /ms.exec(document)?.[1] ?? ''
  return [...section.matchAll(/\b(\d+\.\d+) (?:\[[^\]]+\]\(([^)]+)\)|not built)/g)].map(
    ([, rule = '', test]) => ({
      rule,
      ...(test === undefined ? {} : { test }),
    }),
  )
}

/** Numbers of the rules that the titles of tests in a source name: `rule 2.4`, `rules 2.4, 2.6`. */
export function namedRules(source: string): ReadonlySet<string> {
  const titles = source.matchAll(/(?:\b(?:test|describe|it)|\]\))\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs)
  return new Set(
    [...titles].flatMap(([, , title = '']) =>
      [...title.matchAll(/\brules? ((?:\d+\.\d+(?:, | and )?)+)/g)].flatMap(
        ([, numbers = '']) => numbers.match(/\d+\.\d+/g) ?? [],
      ),
    ),
  )
}

/** What is wrong between the rules, the table, and the tests; one sentence each. `sourceOf`: `undefined` where there is no such file. */
export function ruleViolations(
  stated: readonly string[],
  listed: readonly RuleRow[],
  sourceOf: (path: string) => string | undefined,
): readonly string[] {
  const known = new Set(stated)
  return [
    ...stated
      .filter((rule) => !listed.some((row) => row.rule === rule))
      .map((rule) => `rule ${rule} has no place in the table`),
    ...listed
      .filter(({ rule }) => !known.has(rule))
      .map(({ rule }) => `the table has a rule ${rule} that nobody states`),
    ...listed.flatMap(({ rule, test }) => {
      if (test === undefined) return []
      const source = sourceOf(test)
      if (source === undefined) return [`rule ${rule} is shown by ${test}, which is not there`]
      return namedRules(source).has(rule) ? [] : [`no title of a test in ${test} names rule ${rule}`]
    }),
  ]
}
