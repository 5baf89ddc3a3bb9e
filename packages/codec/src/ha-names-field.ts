import { BrokerError, invariant } from '@tandemmq/base'
import { printable } from './ha-tagged-fields.ts'

/** The longest name of a member, bytes. */
export const NAME_BYTES_MAX = 127

/** Names of members in one field, each behind its length (u8). Longer ones are left out: nobody is called so. */
export function encodeNames(names: readonly string[]): Buffer {
  const parts = names
    .map((name) => Buffer.from(name, 'utf8'))
    .filter(({ length }) => length <= NAME_BYTES_MAX)
  return Buffer.concat(parts.flatMap((name) => [Buffer.of(name.length), name]))
}

/** Throws `PROTOCOL_VIOLATION`, also for more than `namesMax`. */
export function decodeNames(field: Buffer, namesMax: number): readonly string[] {
  invariant(namesMax > 0, 'some names may be told')
  const names: string[] = []
  for (let at = 0; at < field.length;) {
    const from = at + 1
    const to = from + field.readUInt8(at)
    if (to === from || to > field.length || to - from > NAME_BYTES_MAX)
      throw violation(`a name of ${to - from} bytes, ${field.length - from} are there`)
    if (names.length === namesMax) throw violation(`more than ${namesMax} names`)
    names.push(printable(field.toString('utf8', from, to)))
    at = to
  }
  return names
}

function violation(message: string): BrokerError {
  return new BrokerError('PROTOCOL_VIOLATION', message)
}
