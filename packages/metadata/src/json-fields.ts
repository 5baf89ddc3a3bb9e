import { BrokerError } from '@tandemmq/base'
import { isJsonObject, type JsonKey, type JsonObject } from '@tandemmq/codec'

/*
 * Typed access to Apache's config JSON. An absent or null field takes its default (a file of an older version lacks the
 * newer fields); a field of the wrong type throws `CONFIG_INVALID`.
 */

export function textOf(json: JsonObject, field: string, absent?: string): string {
  const value = json.get(field) ?? absent
  return typeof value === 'string' ? value : wrong(field, 'text')
}

export function booleanOf(json: JsonObject, field: string, absent: boolean): boolean {
  const value = json.get(field) ?? absent
  return typeof value === 'boolean' ? value : wrong(field, 'true or false')
}

/** An integer of any sign below 2^53. */
export function integerOf(json: JsonObject, field: JsonKey, absent: number): number {
  const value = json.get(field) ?? absent
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : wrong(field, 'an integer')
}

/** The object in a field; empty if the field is absent. */
export function objectOf(json: JsonObject, field: JsonKey): JsonObject {
  const value = json.get(field) ?? new Map()
  return isJsonObject(value) ? value : wrong(field, 'an object')
}

/** Apache's `attributes`: text by text. */
export function attributesFrom(json: JsonObject): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  for (const [name, value] of objectOf(json, 'attributes')) {
    if (typeof value !== 'string') return wrong('attributes', 'a map of texts')
    attributes.set(String(name), value)
  }
  return attributes
}

function wrong(field: JsonKey, wanted: string): never {
  throw new BrokerError('CONFIG_INVALID', `${JSON.stringify(field)} is not ${wanted}`)
}
