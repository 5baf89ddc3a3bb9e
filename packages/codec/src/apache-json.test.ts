import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  formatApacheJson,
  formatCompactJson,
  parseApacheJson,
  type JsonKey,
  type JsonValue,
} from './index.ts'

const golden = (path: string): string =>
  readFileSync(new URL(`../../../test/golden/${path}`, import.meta.url), 'utf8')

test.each([
  'topics',
  'subscriptionGroup',
  'consumerOffset',
  'delayOffset',
  'consumerFilter',
  'consumerOrderInfo',
])('RocketMQ 5.5 wrote %s.json as we do, byte for byte', (name) => {
  const text = golden(`store/files/config/${name}.json`)
  expect(formatApacheJson(parseApacheJson(text))).toBe(text)
})

test('RocketMQ 5.3 broke its lines elsewhere, and meant the same', () => {
  const parsed = parseApacheJson(golden('store-5.3.3/files/config/delayOffset.json'))
  expect(parsed).toEqual(parseApacheJson(formatApacheJson(parsed)))
  expect(formatCompactJson(parsed)).toContain('"offsetTable":{1:4,2:1,3:1,4:0,18:0}')
})

test('no key is lost, no number is rounded', () => {
  const text = '{"__proto__":{"a":1},"constructor":9007199254740993,-5:1.5,"0":-9223372036854775808,0:true}'
  const parsed = parseApacheJson(text)
  expect(parsed).toEqual(
    new Map<JsonKey, JsonValue>([
      ['__proto__', new Map([['a', 1]])],
      ['constructor', 9007199254740993n],
      [-5, 1.5],
      ['0', -9223372036854775808n],
      [0, true],
    ]),
  )
  expect(formatCompactJson(parsed)).toBe(text)
})

test.each([
  ['', 'a value is missing'],
  ['{', 'neither quoted'],
  ['{"a":1', 'does not end'],
  ['[1 2]', 'does not end'],
  ['{a:1}', 'neither quoted'],
  ['{01:1}', 'neither quoted'],
  ['{1.5:1}', 'neither quoted'],
  ['{99999999999999999999:1}', 'neither quoted'],
  ['"a', 'does not end'],
  ['"a\\', 'does not end'],
  ['"\\q"', 'unknown escape'],
  ['"\n"', 'does not end'],
  ['1e999', 'too large'],
  ['9'.repeat(100), 'too large'],
  ['{} {}', 'follows'],
  ['nul', 'missing'],
  ['\u0000', 'missing'],
])('%j is refused', (text, why) => {
  expect(() => parseApacheJson(text)).toThrow(why)
  expect(() => parseApacheJson(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

test('nesting is bounded', () => {
  expect(() => parseApacheJson('['.repeat(60) + ']'.repeat(60))).not.toThrow()
  expect(() => parseApacheJson('['.repeat(100_000))).toThrow(/deeper/)
})

test('whatever JSON writes is read as JSON reads it', () => {
  const plain = (value: JsonValue): unknown =>
    value instanceof Map
      ? Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]))
      : Array.isArray(value)
        ? value.map(plain)
        : value
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      fc.pre(!/\d{16}/.test(text))
      expect(plain(parseApacheJson(text))).toEqual(
        plain(parseApacheJson(formatApacheJson(parseApacheJson(text)))),
      )
      if (!text.includes('__proto__'))
        expect(JSON.parse(formatCompactJson(parseApacheJson(text)))).toEqual(JSON.parse(text))
    }),
  )
})
