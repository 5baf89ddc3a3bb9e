import { isIPv4 } from 'node:net'

/** The few pieces of DER (ITU-T X.690) that a certificate is made of. */

function element(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts))
}

export function set(...parts: readonly Buffer[]): Buffer {
  return element(0x31, Buffer.concat(parts))
}

/** Big-endian and not negative. */
export function integer(magnitude: Buffer): Buffer {
  const isNegative = ((magnitude[0] ?? 0) & 0x80) !== 0
  return element(0x02, isNegative ? Buffer.concat([Buffer.alloc(1), magnitude]) : magnitude)
}

export function bool(value: boolean): Buffer {
  return element(0x01, Buffer.from([value ? 0xff : 0]))
}

export function octetString(content: Buffer): Buffer {
  return element(0x04, content)
}

export function bitString(content: Buffer): Buffer {
  return element(0x03, Buffer.concat([Buffer.alloc(1), content]))
}

/** A bit string of at most eight bits, with these set; counted from the highest. */
export function namedBits(bits: readonly number[]): Buffer {
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0)
  return element(0x03, Buffer.from([7 - Math.max(...bits), byte]))
}

export function utf8(text: string): Buffer {
  return element(0x0c, Buffer.from(text))
}

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** `GeneralizedTime`, of any century. */
export function time(at: Date): Buffer {
  return element(0x18, Buffer.from(`${at.toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z`))
}

/** A context-specific element. */
export function tagged(number: number, isConstructed: boolean, content: Buffer): Buffer {
  return element(0x80 | (isConstructed ? 0x20 : 0) | number, content)
}

/** A host in a subject alternative name. */
export function generalName(host: string): Buffer {
  return isIPv4(host)
    ? tagged(7, false, Buffer.from(host.split('.').map(Number)))
    : tagged(2, false, Buffer.from(host))
}

function base128(value: number): readonly number[] {
  const digits = [value & 0x7f]
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
  return digits
}
