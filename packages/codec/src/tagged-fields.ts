import { BrokerError } from '@tandemmq/base'

/*
 * The encoding of our own small structures (journal, metadata stream, receipt handle):
 *
 *     field   = key, value
 *     key     = varint(tag << 1 | form)
 *     value   = varint                      form 0: an integer in [0, 2^53)
 *             | varint length, bytes        form 1: text (UTF-8), a nested structure, or packed varints
 *     varint  = 7 bits a byte, lowest first, the high bit says that another byte follows
 *
 * A reader skips tags it does not know, so a structure may grow.
 */

const MAX_VARINT_BYTES = 8

/** Writes one structure. */
export class FieldWriter {
  #buffer: Buffer
  #at = 0

  constructor(expectedBytes = 128) {
    this.#buffer = Buffer.allocUnsafe(Math.max(16, expectedBytes))
  }

  /** A field holding an integer in [0, 2^53). */
  number(tag: number, value: number): this {
    this.varint(tag * 2)
    return this.varint(value)
  }

  text(tag: number, value: string): this {
    const length = Buffer.byteLength(value)
    this.varint(tag * 2 + 1).varint(length)
    this.#reserve(length)
    this.#at += this.#buffer.write(value, this.#at, length, 'utf8')
    return this
  }

  bytes(tag: number, value: Uint8Array): this {
    this.varint(tag * 2 + 1).varint(value.length)
    this.#reserve(value.length)
    this.#buffer.set(value, this.#at)
    this.#at += value.length
    return this
  }

  /** A field holding a structure of its own. */
  nested(tag: number, write: (inner: FieldWriter) => void): this {
    const inner = new FieldWriter()
    write(inner)
    return this.bytes(tag, inner.finish())
  }

  /** A bare integer in [0, 2^53), for packed lists inside {@link nested}. Throws `ILLEGAL_ARGUMENT`. */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new BrokerError('ILLEGAL_ARGUMENT', `${value} is no integer in [0, 2^53)`)
    }
    this.#reserve(MAX_VARINT_BYTES)
    let rest = value
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest % 0x80) + 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#buffer[this.#at++] = rest
    return this
  }

  /** What was written; the writer must not be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + count))
    this.#buffer.copy(grown, 0, 0, this.#at)
    this.#buffer = grown
  }
}

/**
 * Reads one structure: `while (reader.next()) switch (reader.tag) …`. Every length is checked against what is there;
 * anything wrong throws `PROTOCOL_VIOLATION` naming `what`.
 */
export class FieldReader {
  readonly #bytes: Buffer
  readonly #what: string
  #at = 0
  #tag = 0
  #isBytes = false
  #pending = false

  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes
    this.#what = what
  }

  /** The tag of the current field. */
  get tag(): number {
    return this.#tag
  }

  /** Whether the current field has a length: text, bytes or a nested structure. */
  get isBytes(): boolean {
    return this.#isBytes
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** Moves to the next field, skipping a value nobody read; false at the end. */
  next(): boolean {
    if (this.#pending) this.#skip()
    if (this.atEnd) return false
    const key = this.varint()
    this.#tag = Math.floor(key / 2)
    this.#isBytes = key % 2 === 1
    this.#pending = true
    return true
  }

  number(): number {
    if (!this.#pending || this.#isBytes) this.#fail(`field ${this.#tag} is not a number`)
    this.#pending = false
    return this.varint()
  }

  text(): string {
    return this.bytes().toString('utf8')
  }

  /** The value as a view of the input. */
  bytes(): Buffer {
    if (!this.#pending || !this.#isBytes) this.#fail(`field ${this.#tag} has no length`)
    this.#pending = false
    const length = this.varint()
    if (length > this.#bytes.length - this.#at) this.#fail(`field ${this.#tag} claims ${length} bytes`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  nested(what: string): FieldReader {
    return new FieldReader(this.bytes(), what)
  }

  /** A bare integer of a packed list. */
  varint(): number {
    let value = 0
    let weight = 1
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) return this.#fail('it ends inside a number')
      this.#at++
      value += (byte % 0x80) * weight
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) this.#fail('a number is 2^53 or more')
        return value
      }
      weight *= 0x80
    }
    return this.#fail('a number is too long')
  }

  #skip(): void {
    if (this.#isBytes) this.bytes()
    else this.number()
  }

  #fail(why: string): never {
    throw new BrokerError('PROTOCOL_VIOLATION', `${this.#what}: ${why}`, { facts: { at: this.#at } })
  }
}
