/**
 * A key as it stood in the text: a number where it was an unquoted integer (`{0:120}`, as fastjson writes maps with
 * integer keys), a string where it was quoted.
 */
export type JsonKey = string | number

/** An object. A `Map`, so that every key survives (`__proto__` included) and order is kept. */
export type JsonObject = ReadonlyMap<JsonKey, JsonValue>

/** Integers beyond 2^53 are `bigint`: nothing is rounded on the way through. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map
}

export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}
