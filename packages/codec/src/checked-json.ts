import { crc32m } from './crc32m.ts'
import { BrokerError } from '@tandemmq/base'

/**
 * The text of our own state files: a line that says what it is, a line with the `crc32m` of the rest, then JSON.
 * An operator can read it; nobody can edit it by accident.
 */
export function encodeChecked(title: string, value: unknown): Buffer {
  const json = `${JSON.stringify(value, undefined, 2)}\n`
  return Buffer.from(`${title}\n${crc32m(json)}\n${json}`)
}

/** Throws `STATE_FILE_CORRUPT`, saying what is wrong. The shape of the value is the caller's to check. */
export function decodeChecked(title: string, content: Buffer): unknown {
  const text = content.toString('utf8')
  const head = `${title}\n`
  if (!text.startsWith(head)) throw otherVersion(title, text) ?? damaged(title, 'does not begin as it should')
  const line = text.indexOf('\n', head.length)
  const json = text.slice(line + 1)
  if (line === -1 || text.slice(head.length, line) !== String(crc32m(json))) {
    throw damaged(title, 'has another checksum than it says')
  }
  return JSON.parse(json)
}

/** Access to the fields of a decoded object; every reader throws `STATE_FILE_CORRUPT` naming the field. */
export class CheckedFields {
  readonly #title: string
  readonly #fields: ReadonlyMap<string, unknown>

  constructor(title: string, value: unknown) {
    if (typeof value !== 'object' || value === null) throw damaged(title, 'holds no object')
    this.#title = title
    this.#fields = new Map(Object.entries(value))
  }

  optionalPosition(name: string): number | undefined {
    return this.#fields.has(name) ? this.position(name) : undefined
  }

  optionalText(name: string): string | undefined {
    return this.#fields.has(name) ? this.text(name) : undefined
  }

  /** A value whose shape is looked at elsewhere. */
  optional(name: string): unknown {
    return this.#fields.get(name)
  }

  /** A position or count: an integer in [0, 2^53). */
  position(name: string): number {
    const value = this.#fields.get(name)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw damaged(this.#title, `has no position in ${name}`)
  }

  text(name: string): string {
    const value = this.#fields.get(name)
    if (typeof value === 'string') return value
    throw damaged(this.#title, `has no text in ${name}`)
  }

  flag(name: string): boolean {
    const value = this.#fields.get(name)
    if (typeof value === 'boolean') return value
    throw damaged(this.#title, `has neither true nor false in ${name}`)
  }

  list(name: string): readonly unknown[] {
    const value: unknown = this.#fields.get(name)
    if (Array.isArray(value)) return value
    throw damaged(this.#title, `has no list in ${name}`)
  }
}

/** The file says that it is of a version after `title`'s. */
function otherVersion(title: string, text: string): BrokerError | undefined {
  const space = title.lastIndexOf(' ') + 1
  const version = /^(\d{1,6})\n/.exec(text.slice(space, space + 8))?.[1]
  if (!text.startsWith(title.slice(0, space)) || version === undefined) return undefined
  const known = Number(title.slice(space))
  if (Number(version) <= known) return undefined
  return new BrokerError(
    'STORE_FOREIGN',
    `the file ${title.slice(0, space - 1)} is of version ${version}, known is ${known}: a newer TandemMQ has written it`,
    { facts: { version, known } },
  )
}

function damaged(title: string, why: string): BrokerError {
  return new BrokerError('STATE_FILE_CORRUPT', `the file ${title} ${why}`)
}
