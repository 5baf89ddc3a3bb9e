import { isJsonObject, type JsonKey, type JsonObject, type JsonValue } from '@tandemmq/codec'
import { messageOf, type Logger } from '@tandemmq/base'
import { dataVersionFrom, dataVersionToJson, type DataVersion } from './data-version.ts'
import { objectOf } from './json-fields.ts'

/**
 * What a config file holds besides what we understand: kept, and written back, so that an Apache broker finds its own
 * fields again. Entries of the table that we refuse (a name outside the whitelist) are kept in the same way and never used.
 */
export interface ConfigDocument {
  readonly version: DataVersion
  readonly rest: JsonObject
  readonly foreign: JsonObject
}

export const EMPTY_DOCUMENT: ConfigDocument = {
  version: { counter: 0, stateVersion: 0, timestamp: 0 },
  rest: new Map(),
  foreign: new Map(),
}

/**
 * Takes a file apart: `read` gets every entry of the table in `field` and throws for one it refuses. `derived` names fields that
 * are made anew at every write. Throws `CONFIG_INVALID`.
 */
export function documentFrom(
  json: JsonObject,
  field: string,
  derived: readonly string[],
  logger: Logger,
  read: (key: JsonKey, value: JsonObject) => void,
): ConfigDocument {
  const foreign = new Map<JsonKey, JsonValue>()
  for (const [key, value] of objectOf(json, field)) {
    try {
      if (isJsonObject(value)) read(key, value)
      else foreign.set(key, value)
    } catch (cause) {
      foreign.set(key, value)
      logger.warn({ table: field, why: messageOf(cause) }, 'an entry of a config file is kept but not used')
    }
  }
  const known = new Set<JsonKey>(['dataVersion', field, ...derived])
  return {
    version: dataVersionFrom(json),
    rest: new Map([...json].filter(([key]) => !known.has(key))),
    foreign,
  }
}

/** Puts a file together; fields sorted by name, as Apache does. */
export function documentToJson(
  document: ConfigDocument,
  fields: ReadonlyMap<JsonKey, JsonValue>,
): JsonObject {
  const all = new Map<JsonKey, JsonValue>([
    ...document.rest,
    ['dataVersion', dataVersionToJson(document.version)],
    ...fields,
  ])
  return new Map([...all].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)))
}
