import { parseArgs, type ParseArgsConfig } from 'node:util'

/** Arguments that a command cannot do anything with; the message says which and why. */
export class WrongArguments extends Error {
  override readonly name = 'WrongArguments'
}

/**
 * The exit code of a command: what `run` says, or 2, with the usage told on stderr, when it throws {@link WrongArguments}.
 * `--help` tells the usage and runs nothing.
 */
export async function exitCodeOf(
  usage: string,
  run: () => Promise<number>,
  args: readonly string[] = process.argv.slice(2),
): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  try {
    return await run()
  } catch (failure) {
    if (!(failure instanceof WrongArguments)) throw failure
    process.stderr.write(`${failure.message}\n\n${usage}\n`)
    return 2
  }
}

/** `parseArgs` of Node. Throws {@link WrongArguments} for an unknown option, one without its value, or a word too many. */
export function parsedArgs<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (failure) {
    throw new WrongArguments(failure instanceof Error ? failure.message : String(failure))
  }
}

/** A number of decimal digits, `min` to `max`, both included. Throws {@link WrongArguments} for anything else. */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new WrongArguments(`${option} takes a whole number, ${min} to ${max}, not ${JSON.stringify(text)}.`)
}

/** Throws {@link WrongArguments}, which lists what there is, for a word that is none of `known`. */
export function requireKnown(what: string, words: readonly string[], known: readonly string[]): void {
  const unknown = words.find((word) => !known.includes(word))
  if (unknown !== undefined) {
    throw new WrongArguments(`There is no ${what} ${JSON.stringify(unknown)}: ${known.join(', ')}.`)
  }
}
