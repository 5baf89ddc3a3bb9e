import { BrokerError } from '@tandemmq/base'
import type { JsonKey, JsonObject, JsonValue } from './apache-json.ts'

const DEPTH_MAX = 64
const TEXT_MAX = 64 * 1024 * 1024

/**
 * Reads the JSON dialect of Apache RocketMQ's config files (fastjson): strict JSON, and keys may be unquoted integers.
 * Throws `CONFIG_INVALID` with the position (fact `at`) for anything else, for nesting deeper than 64 and for texts above 64 MiB.
 */
export function parseApacheJson(text: string): JsonValue {
  return new Parser(text).document()
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): JsonValue {
    if (this.#text.length > TEXT_MAX) this.#fail(`it is longer than ${TEXT_MAX} characters`)
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) this.#fail('something follows its end')
    return value
  }

  #value(depth: number): JsonValue {
    if (depth > DEPTH_MAX) this.#fail(`it is nested deeper than ${DEPTH_MAX}`)
    this.#space()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth)
      case '[':
        return this.#array(depth)
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #object(depth: number): JsonObject {
    const entries = new Map<JsonKey, JsonValue>()
    this.#at++
    if (this.#take('}')) return entries
    do {
      const key = this.#key()
      if (!this.#take(':')) this.#fail('a colon is missing')
      entries.set(key, this.#value(depth + 1))
    } while (this.#take(','))
    if (!this.#take('}')) this.#fail('an object does not end')
    return entries
  }

  #array(depth: number): readonly JsonValue[] {
    const elements: JsonValue[] = []
    this.#at++
    if (this.#take(']')) return elements
    do {
      elements.push(this.#value(depth + 1))
    } while (this.#take(','))
    if (!this.#take(']')) this.#fail('an array does not end')
    return elements
  }

  #key(): JsonKey {
    this.#space()
    if (this.#text[this.#at] === '"') return this.#string()
    const number = this.#match(/-?(?:0|[1-9]\d{0,15})(?![\w.])/y)
    const key = Number(number)
    if (number === undefined || !Number.isSafeInteger(key))
      this.#fail('a key is neither quoted nor an integer')
    return key
  }

  #string(): string {
    const start = this.#at
    let end = start + 1
    for (;;) {
      const code = this.#text.charCodeAt(end)
      if (code === 0x22) break
      // Control characters are forbidden in a string; NaN is the end of the text.
      if (!(code >= 0x20)) this.#fail('a string does not end')
      end += code === 0x5c ? 2 : 1
    }
    this.#at = end + 1
    const literal = this.#text.slice(start, end + 1)
    if (!literal.includes('\\')) return literal.slice(1, -1)
    try {
      return String(JSON.parse(literal))
    } catch {
      return this.#fail('a string holds an unknown escape')
    }
  }

  #number(): number | bigint {
    const text = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y)
    if (text === undefined) return this.#fail('a value is missing')
    const value = Number(text)
    if (!Number.isFinite(value) || text.length > 40) this.#fail('a number is too large')
    if (Number.isSafeInteger(value) || !Number.isInteger(value)) return value
    if (!/[.eE]/.test(text)) return BigInt(text)
    // A whole number however it is written; from 1e21 on the writer writes an exponent again.
    return Math.abs(value) < 1e21 ? BigInt(value) : value
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('a value is missing')
    this.#at += word.length
    return value
  }

  #take(character: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #space(): void {
    this.#match(/[ \t\r\n]+/y)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #fail(why: string): never {
    throw new BrokerError('CONFIG_INVALID', `the JSON cannot be read at character ${this.#at}: ${why}`, {
      facts: { at: this.#at },
    })
  }
}
