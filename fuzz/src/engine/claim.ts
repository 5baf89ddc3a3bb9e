/** What a target holds against an input. */
export class Finding extends Error {
  override readonly name = 'Finding'
}

/** `condition` must hold for every input. */
export function claim(condition: boolean, words: string): asserts condition {
  if (!condition) throw new Finding(words)
}

/** Both must be the same; the first difference is shown. */
export function claimSame(actual: unknown, expected: unknown, words: string): void {
  const [one, other] = [textOf(actual), textOf(expected)]
  if (one !== other) throw new Finding(`${words}: ${differenceOf(one, other)}`)
}

/** JSON that also shows what JSON leaves out. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each === 'bigint') return `${each}n`
    if (each instanceof Map) return { map: [...each].map(([key, entry]) => [typeof key, key, entry]) }
    if (each === undefined) return 'undefined'
    return typeof each === 'number' && !Number.isFinite(each) ? String(each) : each
  })
}

function differenceOf(one: string, other: string): string {
  let at = 0
  while (at < one.length && one[at] === other[at]) at += 1
  const from = Math.max(0, at - 40)
  return `${one.slice(from, at + 80)} instead of ${other.slice(from, at + 80)}`
}
