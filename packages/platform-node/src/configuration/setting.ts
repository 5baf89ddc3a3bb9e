import { BrokerError, messageOf } from '@tandemmq/base'
import { readSmallFile } from '../small-file.ts'
import { parseProperties } from './properties.ts'

/** One value as somebody gave it, and where. */
export interface Setting {
  readonly name: string
  readonly value: string
  /** `broker.conf:12`, `argument`, `environment variable TANDEMMQ_BROKER_NAME`. */
  readonly origin: string
}

const FILE_BYTES_MAX = 1024 * 1024
const PREFIX = 'TANDEMMQ_'

/** Reads a `.properties` file. Throws `CONFIG_INVALID`. */
export function settingsOfFile(path: string): readonly Setting[] {
  const content = contentOf(path)
  return parseProperties(content, path).map(({ name, value, line }) => ({
    name,
    value,
    origin: `${path}:${line}`,
  }))
}

/** Splits `-c FILE` and `key=value` arguments. Throws `CONFIG_INVALID` for anything else. */
export function settingsOfArguments(given: readonly string[]): {
  readonly file: string | undefined
  readonly settings: readonly Setting[]
} {
  const settings: Setting[] = []
  let file: string | undefined
  for (let i = 0; i < given.length; i += 1) {
    const argument = given[i] ?? ''
    if (argument === '-c' || argument === '--config') {
      i += 1
      const path = given[i]
      if (path === undefined) throw invalid(`${argument} needs the path of a configuration file after it`)
      if (file !== undefined) throw invalid(`-c was given twice: ${file} and ${path}`)
      file = path
      continue
    }
    const at = argument.indexOf('=')
    if (argument.startsWith('-') || at < 1) {
      throw invalid(`the argument ${JSON.stringify(argument.slice(0, 200))} is neither -c FILE nor key=value`)
    }
    settings.push({
      name: argument.slice(0, at).trim(),
      value: argument.slice(at + 1).trim(),
      origin: 'argument',
    })
  }
  return { file, settings }
}

/**
 * Variables named `TANDEMMQ_` and a key, in any case, with or without underscores: `TANDEMMQ_BROKER_NAME` is `brokerName`.
 * A variable that is no key keeps its name, so that the warning about it can tell.
 */
export function settingsOfEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
  reserved: readonly string[],
): readonly Setting[] {
  const byLetters = new Map(known.map((name) => [lettersOf(name), name]))
  return Object.entries(environment)
    .filter(([variable]) => variable.startsWith(PREFIX) && !reserved.includes(variable))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([variable, value]) => {
      const bare = variable.slice(PREFIX.length)
      const name = byLetters.get(lettersOf(bare)) ?? bare
      return { name, value: (value ?? '').trim(), origin: `environment variable ${variable}` }
    })
}

function contentOf(path: string): string {
  try {
    return readSmallFile(path, FILE_BYTES_MAX)
  } catch (cause) {
    throw new BrokerError(
      'CONFIG_INVALID',
      `the configuration file ${path} cannot be read: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  }
}

function lettersOf(name: string): string {
  return name.replaceAll('_', '').toUpperCase()
}

function invalid(message: string): BrokerError {
  return new BrokerError('CONFIG_INVALID', message)
}
