import { BrokerError } from '@tandemmq/base'

/**
 * A message's properties are one text in the record: `name \x01 value \x02` for each pair. Old encoders leave out the
 * last `\x02`. A pair without name or without value is not there (RocketMQ MessageDecoder does the same).
 */
const NAME_VALUE_SEPARATOR = '\u0001'
const PAIR_SEPARATOR = '\u0002'
const separators = new RegExp(`[${NAME_VALUE_SEPARATOR}${PAIR_SEPARATOR}]`)

/** Throws `MESSAGE_ILLEGAL` for an empty name and where a name or value contains a separator. */
export function encodeProperties(entries: Iterable<readonly [name: string, value: string]>): string {
  let text = ''
  for (const [name, value] of entries) {
    if (name === '' || separators.test(name) || separators.test(value)) {
      throw new BrokerError('MESSAGE_ILLEGAL', 'a property has an empty name or contains a separator', {
        facts: { property: name },
      })
    }
    text += name + NAME_VALUE_SEPARATOR + value + PAIR_SEPARATOR
  }
  return text
}

/** In the order of the text; of two equal names the later wins. Never throws: what is no pair is skipped. */
export function decodeProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  eachPair(text, (nameAt, valueAt, end) => {
    properties.set(text.slice(nameAt, valueAt - 1), text.slice(valueAt, end))
  })
  return properties
}

/** One property of {@link decodeProperties}, without the map: for the paths that every message takes. */
export function propertyOf(text: string, name: string): string | undefined {
  let found: string | undefined
  eachPair(text, (nameAt, valueAt, end) => {
    if (valueAt - 1 - nameAt === name.length && text.startsWith(name, nameAt))
      found = text.slice(valueAt, end)
  })
  return found
}

function eachPair(text: string, visit: (nameAt: number, valueAt: number, end: number) => void): void {
  let valueAt = 0
  for (let at = 0; at < text.length;) {
    const separator = text.indexOf(PAIR_SEPARATOR, at)
    const end = separator === -1 ? text.length : separator
    // Searched only once it lies behind: a text of bare separators must not cost its length squared.
    if (valueAt <= at) valueAt = text.indexOf(NAME_VALUE_SEPARATOR, at) + 1
    if (valueAt === 0) return // No pair can follow.
    if (valueAt - 1 > at && valueAt < end) visit(at, valueAt, end)
    at = end + 1
  }
}
