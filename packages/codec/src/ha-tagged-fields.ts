import { BrokerError, invariant } from '@tandemmq/base'
import { isOffset, readInt64, writeInt64 } from './int64.ts'

/**
 * The inside of hello, proof, answer and control frames: fields in any order, unknown tags skipped, so that either
 * side can learn new ones first.
 *
 *     0          2            4            4 + n
 *     +----------+------------+------------+
 *     | tag  u16 | length u16 | n bytes    |   big-endian
 *     +----------+------------+------------+
 */
const FIELD_HEAD_BYTES = 4
const FIELD_VALUE_MAX = 0xffff

export class FieldWriter {
  readonly #parts: Buffer[] = []

  bytes(tag: number, value: Uint8Array): this {
    invariant(value.length <= FIELD_VALUE_MAX, 'a field holds at most 65535 bytes')
    const head = Buffer.allocUnsafe(FIELD_HEAD_BYTES)
    head.writeUInt16BE(tag, 0)
    head.writeUInt16BE(value.length, 2)
    this.#parts.push(head, Buffer.from(value))
    return this
  }

  text(tag: number, value: string): this {
    return this.bytes(tag, Buffer.from(value, 'utf8'))
  }

  /** An unsigned byte. */
  byte(tag: number, value: number): this {
    return this.bytes(tag, Buffer.of(value))
  }

  /** A safe integer as i64: a log offset, or milliseconds. */
  integer(tag: number, value: number): this {
    const word = Buffer.allocUnsafe(8)
    writeInt64(word, 0, value)
    return this.bytes(tag, word)
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

/** Fields by tag. Reading one checks its length, so no caller trusts a peer's arithmetic. */
export class Fields {
  readonly #values = new Map<number, Buffer>()

  /** Throws `PROTOCOL_VIOLATION` if `source` is no sequence of fields, or says one tag twice. */
  constructor(source: Buffer) {
    let at = 0
    while (at < source.length) {
      if (at + FIELD_HEAD_BYTES > source.length) throw violation('a field is cut off in its head')
      const tag = source.readUInt16BE(at)
      const from = at + FIELD_HEAD_BYTES
      const to = from + source.readUInt16BE(at + 2)
      if (to > source.length) throw violation(`field ${tag} is longer than its frame`)
      if (this.#values.has(tag)) throw violation(`field ${tag} is there twice`)
      this.#values.set(tag, source.subarray(from, to))
      at = to
    }
  }

  bytes(tag: number, length?: number): Buffer | undefined {
    const value = this.#values.get(tag)
    if (value !== undefined && length !== undefined && value.length !== length) {
      throw violation(`field ${tag} has ${value.length} bytes instead of ${length}`)
    }
    return value
  }

  text(tag: number, bytesMax: number): string | undefined {
    const value = this.#values.get(tag)
    if (value === undefined) return undefined
    if (value.length > bytesMax) throw violation(`field ${tag} has more than ${bytesMax} bytes`)
    return printable(value.toString('utf8'))
  }

  byte(tag: number): number | undefined {
    return this.bytes(tag, 1)?.readUInt8(0)
  }

  integer(tag: number): number | undefined {
    const value = this.bytes(tag, 8)
    return value === undefined ? undefined : readInt64(value, 0)
  }

  /** An integer that must be a log offset. */
  offset(tag: number): number | undefined {
    const value = this.integer(tag)
    if (value !== undefined && !isOffset(value))
      throw violation(`field ${tag} is ${value}, which is no log offset`)
    return value
  }
}

/** `value`, or `PROTOCOL_VIOLATION` saying that `what` is missing. */
export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw violation(`${what} is missing`)
  return value
}

/** A peer's words end up in our log and on an operator's terminal: no control characters. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?')
}

function violation(message: string): BrokerError {
  return new BrokerError('PROTOCOL_VIOLATION', message)
}
