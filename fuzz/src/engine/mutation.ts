import { unreachable } from '@tandemmq/base'
import fc from 'fast-check'
import { DAMAGED_UTF8, HOSTILE_INTEGERS, HOSTILE_TEXTS } from './hostile-values.ts'

/** Changes an input. Positions are taken modulo its length, so that a mutation fits any input and shrinks by itself. */
export type Mutation =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'byte'; readonly at: number; readonly value: number }
  | {
      readonly kind: 'integer'
      readonly at: number
      readonly width: number
      readonly which: number
      readonly little: boolean
    }
  | { readonly kind: 'insert'; readonly at: number; readonly which: number }
  | { readonly kind: 'overwrite'; readonly at: number; readonly which: number }
  | { readonly kind: 'remove'; readonly at: number; readonly count: number }
  | { readonly kind: 'truncate'; readonly at: number }
  | { readonly kind: 'duplicate'; readonly at: number; readonly count: number; readonly times: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly which: number; readonly times: number }
  | {
      readonly kind: 'splice'
      readonly at: number
      readonly other: number
      readonly from: number
      readonly count: number
    }
  | { readonly kind: 'raise'; readonly at: number; readonly by: number }

/** The longest input, bytes: deep nesting needs a million. */
export const INPUT_BYTES_MAX = 2 * 1024 * 1024

const TEXTS: readonly Buffer[] = [...HOSTILE_TEXTS.map((text) => Buffer.from(text)), ...DAMAGED_UTF8]
/** What opens something inside of itself. */
const NESTING = ['[', '{"a":', '[{"":', '\x0a', '\x0b', '('] as const
const DEPTHS = [65, 66, 1000, 10_000, 20_000] as const
const REPEATS = [2, 3, 10, 66, 1000] as const

const places = fc.nat(0xffff)
const texts = fc.nat(TEXTS.length - 1)

export const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flip' as const), at: places, bit: fc.nat(7) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('byte' as const), at: places, value: fc.nat(255) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('integer' as const),
      at: places,
      width: fc.constantFrom(1, 2, 4, 4, 8),
      which: fc.nat(HOSTILE_INTEGERS.length - 1),
      little: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('insert' as const), at: places, which: texts }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('overwrite' as const), at: places, which: texts }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), at: places, count: fc.nat(64) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: places }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('duplicate' as const),
      at: places,
      count: fc.nat(128),
      times: fc.constantFrom(...REPEATS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('repeat' as const),
      at: places,
      which: fc.nat(NESTING.length - 1),
      times: fc.constantFrom(...DEPTHS),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('splice' as const),
      at: places,
      other: fc.nat(0xffff),
      from: places,
      count: fc.nat(512),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('raise' as const),
      at: places,
      by: fc.integer({ min: -4, max: 4 }),
    }),
  },
)

/** `input` with one change; `corpus` is what a splice takes from. */
export function mutated(input: Buffer, mutation: Mutation, corpus: readonly Buffer[]): Buffer {
  const place = mutation.at % (input.length + 1)
  switch (mutation.kind) {
    case 'flip':
      return withByte(input, place, (byte) => byte ^ (1 << mutation.bit))
    case 'byte':
      return withByte(input, place, () => mutation.value)
    case 'raise':
      return withByte(input, place, (byte) => byte + mutation.by)
    case 'integer':
      return replaced(
        input,
        place,
        mutation.width,
        integerBytes(mutation.which, mutation.width, mutation.little),
      )
    case 'insert':
      return replaced(input, place, 0, TEXTS[mutation.which] ?? Buffer.alloc(0))
    case 'overwrite': {
      const text = TEXTS[mutation.which] ?? Buffer.alloc(0)
      return replaced(input, place, text.length, text)
    }
    case 'remove':
      return replaced(input, place, mutation.count, Buffer.alloc(0))
    case 'repeat': {
      const unit = NESTING[mutation.which] ?? ''
      return replaced(input, place, 0, Buffer.from(unit.repeat(mutation.times)))
    }
    case 'truncate':
      return input.subarray(0, place)
    case 'duplicate': {
      const chunk = input.subarray(place, place + mutation.count)
      return replaced(input, place, 0, Buffer.concat(Array.from({ length: mutation.times }, () => chunk)))
    }
    case 'splice': {
      const other = corpus[mutation.other % Math.max(1, corpus.length)] ?? input
      const from = mutation.from % (other.length + 1)
      return replaced(input, place, 0, other.subarray(from, from + mutation.count))
    }
    default:
      return unreachable(mutation)
  }
}

function withByte(input: Buffer, at: number, change: (byte: number) => number): Buffer {
  const changed = Buffer.from(input)
  const place = at < changed.length ? at : changed.length - 1
  if (place >= 0) changed[place] = change(changed[place] ?? 0)
  return changed
}

function replaced(input: Buffer, at: number, count: number, by: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, at), by, input.subarray(at + count)]).subarray(0, INPUT_BYTES_MAX)
}

function integerBytes(which: number, width: number, little: boolean): Buffer {
  const bytes = Buffer.alloc(8)
  const value = BigInt.asIntN(64, HOSTILE_INTEGERS[which] ?? 0n)
  if (little) bytes.writeBigInt64LE(value)
  else bytes.writeBigInt64BE(value)
  return little ? bytes.subarray(0, width) : bytes.subarray(8 - width)
}
