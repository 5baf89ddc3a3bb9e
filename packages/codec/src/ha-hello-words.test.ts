import { BrokerError } from '@tandemmq/base'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HANDSHAKE_BYTES_MAX, HandshakeReader, encodeHandshake } from './ha-hello-words.ts'

test('the words of a handshake message (rule 2.1)', () => {
  const words = encodeHandshake('answer', Buffer.from('0001000101', 'hex'))
  expect(words.toString('hex')).toBe('c704000000050001c300010100000000')
  for (let at = 0; at < words.length; at += 8) expect(words.readBigInt64BE(at) < 0n).toBe(true)
})

test('no word of any handshake message can be taken for a position by an Apache peer, nor overflow its gap (rule 2.1)', () => {
  const body = fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(body, (fields) => {
      const words = encodeHandshake('slave-hello', fields)
      expect(words.length % 8).toBe(0)
      for (let at = 0; at < words.length; at += 8) {
        const word = words.readBigInt64BE(at)
        const used = words.readUInt8(at) - 0xc0
        expect(
          used >= 0 && used <= 7 && words.subarray(at + 1 + used, at + 8).every((byte) => byte === 0),
        ).toBe(true)
        // Apache subtracts it from the end of its log: that stays below 2^63 for any end that a file name can hold.
        expect(word < 0n && 10n ** 18n - word < 2n ** 63n).toBe(true)
      }
    }),
  )
})

test('words shorter than need be are understood, wrong ones are not', () => {
  const one = encodeHandshake('proof', Buffer.alloc(0))
  const spread = [...one.subarray(1, 6)].flatMap((byte) => [0xc1, byte, 0, 0, 0, 0, 0, 0])
  expect(new HandshakeReader().push(Buffer.from(spread))?.message.kind).toBe('proof')
  const wrong = [
    'c804000000050001',
    'bf04000000050001',
    'c104000000000001',
    'c70400ffffff0001',
    'c700000000000000',
    'c709000000000000',
    'c704000000010001',
  ]
  for (const hexed of wrong) {
    expect(() => new HandshakeReader().push(Buffer.from(hexed, 'hex')), hexed).toThrow(BrokerError)
  }
})

test('empty words do not last for ever', () => {
  const reader = new HandshakeReader()
  const chunk = Buffer.alloc(4096).map((_, index) => (index % 8 === 0 ? 0xc0 : 0))
  const flood = (): void => {
    for (let sent = 0; sent <= HANDSHAKE_BYTES_MAX; sent += chunk.length) reader.push(Buffer.from(chunk))
  }
  expect(flood).toThrow('64 KiB')
})
