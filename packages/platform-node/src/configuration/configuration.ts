import { existsSync } from 'node:fs'
import { delimiter } from 'node:path'
import { BrokerError } from '@tandemmq/base'
import { READY_VARIABLE } from '../launcher-channel.ts'
import type { Schema, Values } from './key.ts'
import { nearestName } from './nearest-name.ts'
import { settingsOfArguments, settingsOfEnvironment, settingsOfFile, type Setting } from './setting.ts'

/** Names files that are read before the one of `-c`, a later one over an earlier, separated as in PATH; one that does not exist is passed over. */
const FILES_VARIABLE = 'TANDEMMQ_CONFIGURATION_FILES'

/** Where a configuration is read from; a later one wins: files, environment, arguments. */
export interface ConfigurationSources {
  /** What follows the program's name: `-c FILE` and `key=value`. */
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Variables with our prefix that are no keys, beside the one of the launcher. */
  readonly reservedVariables?: readonly string[]
}

export interface Configuration<S extends Schema> {
  /** Every key of the schema with its value. Frozen. */
  readonly values: Values<S>
  /** The file that was named with `-c`. */
  readonly file: string | undefined
  /** Sentences for the log: unknown and repeated keys. */
  readonly warnings: readonly string[]
  /** Whether somebody gave the key, or it has its default. */
  isGiven(name: keyof S & string): boolean
  /** The error for a value that is wrong only beside others: "`name` must be `allowed`, but …", with its origin. */
  refusal(name: keyof S & string, allowed: string): BrokerError
}

/** Reads a configuration. Throws `CONFIG_INVALID` in one sentence: which key, what is allowed, what was given, where. */
export function readConfiguration<const S extends Schema>(
  schema: S,
  sources: ConfigurationSources,
): Configuration<S> {
  const names = Object.keys(schema)
  const { file, settings } = settingsOfArguments(sources.arguments)
  const warnings: string[] = []
  const given = new Map<string, Setting>()
  const reserved = [READY_VARIABLE, FILES_VARIABLE, ...(sources.reservedVariables ?? [])]
  const layers = [
    ...standingFiles(sources.environment[FILES_VARIABLE]).map(settingsOfFile),
    file === undefined ? [] : settingsOfFile(file),
    settingsOfEnvironment(sources.environment, names, reserved),
    settings,
  ]
  for (const layer of layers) {
    const { known, remarks } = knownSettings(layer, names)
    for (const setting of known) given.set(setting.name, setting)
    warnings.push(...remarks)
  }
  const refuse = (name: string, allowed: string): BrokerError => {
    const setting = given.get(name)
    const mistyped = warnings.find((warning) => warning.endsWith(meaning(name)))
    return refusal(name, allowed, setting, schema[name]?.secret ?? false, mistyped)
  }
  const values = names.map((name) => [name, valueOf(schema, name, given.get(name), refuse)] as const)
  return {
    values: Object.freeze(recordOf(schema, values)),
    file,
    warnings,
    isGiven: (name) => given.has(name),
    refusal: refuse,
  }
}

function standingFiles(list = ''): readonly string[] {
  return list.split(delimiter).filter((path) => path !== '' && existsSync(path))
}

/** Splits one source's settings into known keys and remarks about unknown and repeated ones. */
function knownSettings(
  settings: readonly Setting[],
  names: readonly string[],
): { readonly known: Iterable<Setting>; readonly remarks: readonly string[] } {
  const known = new Map<string, Setting>()
  const remarks: string[] = []
  for (const setting of settings) {
    const { name, origin } = setting
    if (!names.includes(name)) {
      const meant = nearestName(name.replaceAll('_', ''), names)
      const hint = meant === undefined ? '' : meaning(meant)
      remarks.push(`unknown key ${shown(name)} (${origin}) has no effect${hint}`)
      continue
    }
    const earlier = known.get(name)
    if (earlier !== undefined) {
      remarks.push(`${name} is given twice, by ${earlier.origin} and ${origin}: the latter counts`)
    }
    known.set(name, setting)
  }
  return { known: known.values(), remarks }
}

function meaning(name: string): string {
  return `; did you mean ${name}?`
}

/** A file may name a key that no terminal should see as it is. */
function shown(name: string): string {
  return /^[\w.-]{1,80}$/.test(name) ? name : JSON.stringify(name.slice(0, 80)).replaceAll(/\p{C}/gu, '?')
}

function valueOf(
  schema: Schema,
  name: string,
  setting: Setting | undefined,
  refuse: (name: string, allowed: string) => BrokerError,
): unknown {
  const key = schema[name]
  if (key === undefined || setting === undefined) return key?.default
  const parsed = key.parse(setting.value)
  if (parsed === undefined) throw refuse(name, key.allowed)
  return parsed.value
}

/** `mistyped`: what was perhaps meant for this key. */
function refusal(
  name: string,
  allowed: string,
  setting: Setting | undefined,
  secret: boolean,
  mistyped: string | undefined,
): BrokerError {
  const was = secret
    ? 'what was given is not'
    : `${JSON.stringify((setting?.value ?? '').slice(0, 200))} was given`
  const end = setting === undefined ? 'nothing was given' : `${was} (${setting.origin})`
  const hint = mistyped === undefined ? '' : `; ${mistyped}`
  return new BrokerError('CONFIG_INVALID', `${name} must be ${allowed}, but ${end}${hint}`, {
    facts: { key: name },
  })
}

/** The values as a record of the schema's type. The compiler cannot follow: `entries` were made from that schema's keys. */
function recordOf<S extends Schema>(_schema: S, entries: Iterable<readonly [string, unknown]>): Values<S> {
  return Object.assign(Object.create(null), Object.fromEntries(entries))
}
