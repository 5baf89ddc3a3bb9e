/** One bug on purpose: what somebody might write, and which tests must see it. */
export interface PlantedBug {
  readonly name: string
  /** Relative to the repository. */
  readonly file: string
  /** Exact source text that is there once. */
  readonly find: string
  /** What takes its place. */
  readonly plant: string
  /** Test files, or directories of such: one of their tests has to fail. */
  readonly tests: readonly string[]
}

/** The source with the bug in it; `undefined`: the text is not there exactly once. */
export function withBug(
  source: string,
  { find, plant }: Pick<PlantedBug, 'find' | 'plant'>,
): string | undefined {
  const at = source.indexOf(find)
  if (find === '' || at === -1 || source.includes(find, at + 1)) return undefined
  return source.slice(0, at) + plant + source.slice(at + find.length)
}
