import { isJsonArray, isJsonObject, type JsonKey, type JsonObject, type JsonValue } from './apache-json.ts'

/** Writes as RocketMQ 5.5 writes its config files: one element a line, indented by tabs, integer keys unquoted. */
export function formatApacheJson(value: JsonValue): string {
  return format(value, '\n')
}

/** The same without white space, as it is sent in replies. */
export function formatCompactJson(value: JsonValue): string {
  return format(value, '')
}

/** `lineBreak` is what begins a new line at this depth; empty when compact. */
function format(value: JsonValue, lineBreak: string): string {
  if (isJsonObject(value)) return formatObject(value, lineBreak)
  if (isJsonArray(value)) {
    // fastjson keeps arrays of numbers on one line.
    const isNumeric = value.every((element) => typeof element === 'number' || typeof element === 'bigint')
    const inner = isNumeric ? '' : deeper(lineBreak)
    const end = isNumeric ? '' : lineBreak
    return value.length === 0
      ? '[]'
      : `[${inner}${value.map((element) => format(element, inner)).join(`,${inner}`)}${end}]`
  }
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
}

function formatObject(object: JsonObject, lineBreak: string): string {
  if (object.size === 0) return '{}'
  const inner = deeper(lineBreak)
  const entries: string[] = []
  for (const [key, value] of object) entries.push(`${formatKey(key)}:${format(value, inner)}`)
  return `{${inner}${entries.join(`,${inner}`)}${lineBreak}}`
}

function formatKey(key: JsonKey): string {
  return typeof key === 'number' ? String(key) : JSON.stringify(key)
}

function deeper(lineBreak: string): string {
  return lineBreak === '' ? '' : `${lineBreak}\t`
}
