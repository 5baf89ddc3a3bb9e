import { crc32m } from './crc32m.ts'

/**
 * The optional checksum over a whole record (`enabledAppendPropCRC`): a last property of fixed width,
 * `__CRC32# \x01 dddddddddd \x02`. The ten digits are the decimal checksum written back to front, padded with zeros.
 * It covers everything before itself, TOTALSIZE and PROPLEN (which count it) included.
 */
export const PROPERTY_CRC_BYTES = 20
const PROPERTY_CRC_NAME = '__CRC32#'

const DIGITS = 10
const DIGITS_AT = PROPERTY_CRC_NAME.length + 1
const ZERO = 0x30
const UNDERSCORE = 0x5f

/** Writes the tail of the record `[start, start + size)`, whose last 20 bytes are kept free for it. */
export function writePropertyCrc(target: Buffer, start: number, size: number): void {
  const tail = start + size - PROPERTY_CRC_BYTES
  target.write(PROPERTY_CRC_NAME, tail, 'latin1')
  target[tail + DIGITS_AT - 1] = 1
  let rest = crc32m(target.subarray(start, tail))
  for (let digit = 0; digit < DIGITS; digit += 1) {
    target[tail + DIGITS_AT + digit] = ZERO + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  target[tail + DIGITS_AT + DIGITS] = 2
}

/** Whether the record `[start, start + size)` ends in a checksum, and whether that is right. */
export function checkPropertyCrc(source: Buffer, start: number, size: number): 'absent' | 'right' | 'wrong' {
  const tail = start + size - PROPERTY_CRC_BYTES
  // Most records have none: that is seen without making a text.
  if (tail < start || source[tail] !== UNDERSCORE || source[tail + DIGITS_AT - 1] !== 1) return 'absent'
  const pair = source.toString('latin1', tail, start + size)
  const digits = pair.slice(DIGITS_AT, DIGITS_AT + DIGITS)
  if (pair !== `${PROPERTY_CRC_NAME}\u0001${digits}\u0002` || !/^\d{10}$/.test(digits)) return 'absent'
  const stated = Number(digits.split('').toReversed().join(''))
  return stated === crc32m(source.subarray(start, tail)) ? 'right' : 'wrong'
}

/** The properties a tail may be put behind: without an earlier checksum, and with the last pair closed. */
export function propertiesBeforeCrc(properties: string): string {
  if (!properties.includes(PROPERTY_CRC_NAME)) return closed(properties)
  const pairs = properties.split('\u0002').filter((pair) => !pair.startsWith(`${PROPERTY_CRC_NAME}\u0001`))
  return closed(pairs.join('\u0002'))
}

/** Whether the text ends in what would pass for a checksum: a broker that writes none must not store such a thing. */
export function endsLikeCrc(properties: string): boolean {
  return properties.startsWith(`${PROPERTY_CRC_NAME}\u0001`, properties.length - PROPERTY_CRC_BYTES)
}

function closed(text: string): string {
  return text === '' || text.endsWith('\u0002') ? text : `${text}\u0002`
}
