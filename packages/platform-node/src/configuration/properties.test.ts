import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseProperties, renderProperties } from './properties.ts'

function parsed(content: string): readonly (readonly [string, string, number])[] {
  return parseProperties(content, 'a.conf').map(({ name, value, line }) => [name, value, line])
}

test('reads what Java reads: comments, separators, continuation, escapes', () => {
  const content = [
    '# a comment',
    '  ! another',
    'brokerName = broker-a',
    'brokerId:0',
    '',
    'namesrvAddr=10.0.0.1:9876;\\',
    '    10.0.0.2:9876',
    String.raw`path=C:\\data`,
    String.raw`greeting=h\u00e4 \t!`,
    'empty=',
  ].join('\r\n')
  expect(parsed(content)).toEqual([
    ['brokerName', 'broker-a', 3],
    ['brokerId', '0', 4],
    ['namesrvAddr', '10.0.0.1:9876;10.0.0.2:9876', 6],
    ['path', String.raw`C:\data`, 8],
    ['greeting', 'hä \t!', 9],
    ['empty', '', 10],
  ])
})

test('a damaged file is refused with its place', () => {
  expect(() => parsed('a=1\nbroken line\n')).toThrow('a.conf:2 is not of the form key=value')
  expect(() => parsed(String.raw`a=\u12`)).toThrow(/a\.conf:1 has \\u without/)
  expect(() => parsed('a=1\0')).toThrow('a.conf is not a text file')
  expect(() => parsed(Buffer.from([0x61, 0x3d, 0xff, 0xfe]).toString('utf8'))).toThrow('not a text file')
  expect(() => parsed('=value')).toThrow('a.conf:1')
})

test('what is written is read back', () => {
  const text = fc
    .string({ unit: 'grapheme' })
    .filter((value) => value === value.trim() && !/[\0\uFFFD]/.test(value))
  const names = text.filter((value) => value !== '' && value !== '__proto__')
  fc.assert(
    fc.property(fc.dictionary(names, text), (values) => {
      const back = parseProperties(renderProperties(['made by a test'], values), 'x')
      expect(back.map(({ name, value }) => [name, value])).toEqual(Object.entries(values))
    }),
  )
})

test('any text is either read or refused, never worse', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '=', ':', '\\', 'u', ' ', '\n', '#', '\0') }),
      (content) => {
        try {
          parseProperties(content, 'x')
        } catch (refusal) {
          expect(refusal).toMatchObject({ code: 'CONFIG_INVALID' })
        }
      },
    ),
  )
})
