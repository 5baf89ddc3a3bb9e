const NAME_VALUE_SEPARATOR = '\u0001'
const PAIR_SEPARATOR = '\u0002'

/** Where in a text a property's value lies; `end` 0: the property is not there. */
interface Span {
  at: number
  end: number
}

/**
 * Hashes of the keys that a record is found by, the same as `indexKeysOf` names them, without making the keys: every
 * record passes here.
 */
export class IndexKeyHashes {
  #topic = ''
  /** Java hash of `topic#`. */
  #topicHash = javaHash(0, '#', 0, 1)
  readonly #hashes: number[] = []
  #count = 0
  readonly #uniqueKey: Span = { at: 0, end: 0 }
  readonly #keys: Span = { at: 0, end: 0 }
  readonly #tag: Span = { at: 0, end: 0 }

  /** Takes up a record; returns how many keys it has. */
  take(topic: string, properties: string): number {
    if (topic !== this.#topic) {
      this.#topic = topic
      this.#topicHash = javaHash(javaHash(0, topic, 0, topic.length), '#', 0, 1)
    }
    this.#find(properties)
    this.#count = 0
    if (this.#uniqueKey.end > 0) this.#add(properties, this.#uniqueKey.at, this.#uniqueKey.end)
    const { end } = this.#keys
    for (let at = this.#keys.at; at < end;) {
      const space = properties.indexOf(' ', at)
      const keyEnd = space === -1 || space > end ? end : space
      if (keyEnd > at) this.#add(properties, at, keyEnd)
      at = keyEnd + 1
    }
    if (this.#tag.end > 0) {
      this.#push(javaHash(javaHash(this.#topicHash, 'T#', 0, 2), properties, this.#tag.at, this.#tag.end))
    }
    return this.#count
  }

  /** The hash of the n-th key of the record taken up last, counted from 0; in the form an entry stores. */
  at(n: number): number {
    return this.#hashes[n] ?? 0
  }

  #add(properties: string, at: number, end: number): void {
    this.#push(javaHash(this.#topicHash, properties, at, end))
  }

  #push(hash: number): void {
    const positive = Math.abs(hash)
    this.#hashes[this.#count] = positive === 2 ** 31 ? 0 : positive
    this.#count += 1
  }

  /** As `propertyOf` reads a text, for three properties in one go. */
  #find(properties: string): void {
    this.#uniqueKey.end = 0
    this.#keys.at = 0
    this.#keys.end = 0
    this.#tag.end = 0
    let valueAt = 0
    for (let at = 0; at < properties.length;) {
      const separator = properties.indexOf(PAIR_SEPARATOR, at)
      const end = separator === -1 ? properties.length : separator
      if (valueAt <= at) valueAt = properties.indexOf(NAME_VALUE_SEPARATOR, at) + 1
      if (valueAt === 0) return
      if (valueAt < end) this.#note(properties, at, valueAt, end)
      at = end + 1
    }
  }

  #note(properties: string, nameAt: number, valueAt: number, end: number): void {
    const length = valueAt - 1 - nameAt
    const span =
      length === 8 && properties.startsWith('UNIQ_KEY', nameAt)
        ? this.#uniqueKey
        : length === 4 && properties.startsWith('KEYS', nameAt)
          ? this.#keys
          : length === 4 && properties.startsWith('TAGS', nameAt)
            ? this.#tag
            : undefined
    if (span === undefined) return
    span.at = valueAt
    span.end = end
  }
}

/** Goes on with a Java hash over a part of a text. */
function javaHash(hash: number, text: string, from: number, to: number): number {
  let result = hash
  for (let at = from; at < to; at += 1) result = (Math.imul(31, result) + text.charCodeAt(at)) | 0
  return result
}
