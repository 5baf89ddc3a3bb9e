import { afterEach, expect, test, vi } from 'vitest'
import { DownwardReader } from './ha-downward-reader.ts'
import { CONTROL_BYTES_MAX, encodeFrameHeader } from './ha-frame.ts'
import { HandshakeReader, encodeHandshake } from './ha-hello-words.ts'
import { UpwardReader } from './ha-upward-reader.ts'
import { UnitBuffer } from './unit-buffer.ts'

afterEach(() => vi.restoreAllMocks())

/** Bytes of all buffers that are made while `task` runs; what is copied needs one to be copied to. */
function bytesMade(task: () => void): number {
  const spies = [
    vi.spyOn(Buffer, 'alloc'),
    vi.spyOn(Buffer, 'allocUnsafe'),
    vi.spyOn(Buffer, 'from'),
    vi.spyOn(Buffer, 'concat'),
  ]
  task()
  let bytes = 0
  for (const { mock } of spies)
    for (const { type, value } of mock.results) if (type === 'return') bytes += value.length
  return bytes
}

const upwardOpening = Buffer.alloc(8)
upwardOpening.writeBigInt64BE(BigInt(-CONTROL_BYTES_MAX))

test.each([
  ['a slave', upwardOpening, () => new UpwardReader()],
  ['a master', encodeFrameHeader(0, -CONTROL_BYTES_MAX), () => new DownwardReader()],
])('a control frame of %s that comes byte by byte is not copied with every byte', (_who, opening, reader) => {
  const cutOff = Buffer.concat([opening, Buffer.alloc(CONTROL_BYTES_MAX - 1)])
  const made = bytesMade(() => {
    const one = reader()
    for (let at = 0; at < cutOff.length; at += 1) {
      one.feed(cutOff.subarray(at, at + 1))
      expect(one.next() === undefined).toBe(true)
    }
  })
  expect(made).toBeLessThan(6 * CONTROL_BYTES_MAX)
})

test('nor is a handshake message', () => {
  const words = encodeHandshake('proof', Buffer.alloc(50_000))
  const made = bytesMade(() => {
    const reader = new HandshakeReader()
    for (let at = 0; at < words.length; at += 1) reader.push(words.subarray(at, at + 1))
  })
  expect(made).toBeLessThan(2 * words.length)
})

test('what was taken stays as it is when more comes, and a rest does not hold on to its chunk', () => {
  const buffer = new UnitBuffer()
  const chunk = Buffer.from('abcdef')
  buffer.feed(chunk)
  buffer.take(4)
  buffer.keep()
  chunk.fill('-')
  const taken = buffer.take(1)
  buffer.feed(Buffer.from('gh'))
  expect(String(taken)).toBe('e')
  expect(String(buffer.bytes)).toBe('fgh')
})

test('memory goes down again with what is held', () => {
  const buffer = new UnitBuffer()
  buffer.feed(Buffer.alloc(1))
  buffer.keep()
  buffer.feed(Buffer.alloc(100_000))
  buffer.take(99_999)
  buffer.keep()
  expect(buffer.length).toBe(2)
  // Node takes small buffers from one of 64 KiB.
  expect(buffer.bytes.buffer.byteLength).toBeLessThan(100_000)
})
