/** What parsing one value came to: a value, or nothing when the text is not allowed. */
export type Parsed<T> = { readonly value: T } | undefined

/** One key of a configuration: what it takes, what it is when nobody says, and what it is for. */
export interface Key<T> {
  readonly default: T
  /** What is allowed, as the end of the sentence "`name` must be …". */
  readonly allowed: string
  /** One sentence: what the key is for. */
  readonly text: string
  /** `ms`, `bytes` …; empty when the value has none. */
  readonly unit: string
  /** The value is never printed. */
  readonly secret: boolean
  parse(given: string): Parsed<T>
}

/** What every key says about itself. */
export interface KeyWords<T> {
  readonly default: T
  readonly text: string
  readonly unit?: string
  readonly secret?: boolean
}

/** The keys a process knows, by their names in the file. */
export type Schema = Readonly<Record<string, Key<unknown>>>

/** The values of a schema's keys. */
export type Values<S extends Schema> = { readonly [N in keyof S]: S[N] extends Key<infer T> ? T : never }

function key<T>(words: KeyWords<T>, allowed: string, parse: (given: string) => Parsed<T>): Key<T> {
  const { unit = '', secret = false } = words
  return { default: words.default, text: words.text, unit, secret, allowed, parse }
}

/** An integer from `min` to `max`, both included. */
export function integer(
  words: KeyWords<number> & { readonly min: number; readonly max: number },
): Key<number> {
  const { min, max, unit } = words
  const allowed = `an integer from ${min} to ${max}${unit === undefined ? '' : ` (${unit})`}`
  return key(words, allowed, (given) => {
    const value = /^-?\d+$/.test(given) ? Number(given) : Number.NaN
    return value >= min && value <= max ? { value } : undefined
  })
}

/** A TCP port; 0 means: any free one. */
export function port(words: KeyWords<number>): Key<number> {
  return integer({ ...words, min: 0, max: 65_535 })
}

/** `true` or `false`. */
export function flag(words: KeyWords<boolean>): Key<boolean> {
  return key(words, 'true or false', (given) =>
    given === 'true' || given === 'false' ? { value: given === 'true' } : undefined,
  )
}

/** One of a few words. */
export function oneOf<const W extends string>(choices: readonly W[], words: KeyWords<NoInfer<W>>): Key<W> {
  return key(words, `one of ${choices.join(', ')}`, (given) => {
    const value = choices.find((choice) => choice === given)
    return value === undefined ? undefined : { value }
  })
}

/** Any text; with `pattern`, text that matches it as a whole, described by `allowed`. */
export function text(
  words: KeyWords<string> & { readonly pattern?: { readonly matches: RegExp; readonly allowed: string } },
): Key<string> {
  const { pattern } = words
  return key(words, pattern?.allowed ?? 'text', (value) =>
    pattern === undefined || pattern.matches.test(value) ? { value } : undefined,
  )
}

/** A name that may become a path: 1 to 127 letters, digits, `_` and `-`. */
export function name(words: KeyWords<string>): Key<string> {
  return text({
    ...words,
    pattern: { matches: /^[A-Za-z0-9_-]{1,127}$/, allowed: 'a name of 1 to 127 letters, digits, _ and -' },
  })
}

/** `host:port`, with an IPv6 host in brackets. Empty, where that is the default: none. */
export function address(words: KeyWords<string>): Key<string> {
  const allowed = `host:port${words.default === '' ? ', or nothing' : ''}`
  return key(words, allowed, (value) => {
    if (value === '' && words.default === '') return { value }
    const at = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:[\]]+):(\d{1,5})$/.exec(value)
    return at !== null && Number(at[1]) <= 65_535 ? { value } : undefined
  })
}
