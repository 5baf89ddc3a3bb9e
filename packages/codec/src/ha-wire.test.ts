import { BrokerError } from '@tandemmq/base'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeAnswer, encodeAnswer } from './ha-answer.ts'
import type { Answer } from './ha-answer.ts'
import { encodeControl, encodeControlDown, encodeControlUp, decodeControl } from './ha-control.ts'
import type { Control } from './ha-control.ts'
import { DownwardReader } from './ha-downward-reader.ts'
import { FRAME_BODY_MAX, encodeFrameHeader, encodeReport } from './ha-frame.ts'
import { appendMac, decodeHello, encodeHello } from './ha-hello.ts'
import type { Hello } from './ha-hello.ts'
import { HANDSHAKE_BYTES_MAX, HandshakeReader, encodeHandshake } from './ha-hello-words.ts'
import { LINEAGE_EPOCHS_MAX, decodeLineage, encodeLineage } from './ha-lineage-field.ts'
import { decodeProof, encodeProof } from './ha-proof.ts'
import { FieldWriter } from './ha-tagged-fields.ts'
import { UpwardReader } from './ha-upward-reader.ts'

const offset = fc.maxSafeNat()
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'))
const name = fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom('a', 'Z', '-', '0', 'é', '消') })
const lineage = fc.record({
  logId: hex(16),
  epochs: fc
    .array(fc.record({ step: fc.integer({ min: 1, max: 9 }), bytes: fc.nat(1e9), opener: hex(8) }), {
      maxLength: 20,
    })
    .map((steps) => {
      let [epoch, start] = [0, 0]
      return steps.map((step) => ({
        epoch: (epoch += step.step),
        start: (start += step.bytes),
        opener: step.opener,
      }))
    }),
})
const range = fc
  .tuple(fc.nat(1e12), fc.integer({ min: 1, max: 65536 }))
  .map(([from, n]) => ({ from, to: from + n }))
const hello: fc.Arbitrary<Hello> = fc.record(
  {
    protocolVersion: fc.integer({ min: 1, max: 99 }),
    role: fc.constantFrom('master' as const, 'slave' as const),
    cluster: name,
    set: name,
    identity: name,
    instanceId: name,
    nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
    begin: fc.nat(1e9),
    end: fc.integer({ min: 1e9, max: 2e12 }),
    flushed: fc.nat(1e12),
    flush: fc.constantFrom('never' as const, 'when-required' as const, 'always' as const),
    segmentBytes: fc.nat(2 ** 31),
    wallClock: fc.nat(2 ** 45),
    lineage,
    compare: range,
  },
  {
    requiredKeys: [
      'protocolVersion',
      'role',
      'cluster',
      'set',
      'identity',
      'instanceId',
      'nonce',
      'begin',
      'end',
      'flushed',
      'flush',
      'segmentBytes',
      'wallClock',
    ],
  },
)
const refusal = fc.record({ reason: fc.constantFrom('wrong-set', 'bytes-differ'), words: name })
const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({
    kind: fc.constant('accept' as const),
    at: fc.nat(1e12),
    lineage,
    flushRequired: fc.boolean(),
    counted: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('truncate' as const, 'start-over' as const), at: fc.nat(1e12), lineage }),
  fc.record({ kind: fc.constantFrom('wait' as const, 'refuse' as const), refusal }),
)
const control: fc.Arbitrary<Control> = fc
  .record(
    {
      confirmed: fc.nat(1e12),
      ping: fc.nat(2 ** 31),
      pong: fc.nat(2 ** 31),
      writable: fc.boolean(),
      problem: name,
      flushed: fc.nat(1e12),
      dispatched: fc.nat(1e12),
      roster: fc.array(name, { maxLength: 20 }),
      forgotten: fc.array(name, { maxLength: 20 }),
    },
    { requiredKeys: [] },
  )
  .filter((value) => Object.keys(value).length > 0)

/** Cuts `bytes` at the given fractions. */
function cut(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const at = fractions.map((fraction) => Math.floor(fraction * bytes.length)).toSorted((a, b) => a - b)
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length))
}
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })

/** Either it works or it is a protocol violation: never anything else. */
function orViolation(task: () => unknown): void {
  try {
    task()
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    expect(error.code).toBe('PROTOCOL_VIOLATION')
  }
}

test('the vectors of the Apache stream', () => {
  expect(encodeReport(4096).toString('hex')).toBe('0000000000001000')
  expect(encodeFrameHeader(4096, 0).toString('hex')).toBe('000000000000100000000000')
})

test('the opening of control frames (rule 2.3)', () => {
  expect(encodeControlUp({ pong: 7 }).toString('hex')).toBe('fffffffffffffff4000300080000000000000007')
  expect(encodeControlDown({ confirmed: 9 }, 4096).toString('hex')).toBe(
    '0000000000001000fffffff4000100080000000000000009',
  )
})

test('hello, proof, answer and control survive the way there', () => {
  fc.assert(
    fc.property(hello, fc.option(fc.constant(Buffer.alloc(32, 5)), { nil: undefined }), (value, mac) => {
      const body = encodeHello(value)
      const received = decodeHello(mac === undefined ? body : appendMac(body, mac))
      expect(received.hello).toEqual(value)
      expect(received.signed.equals(body)).toBe(true)
      expect(received.mac).toEqual(mac)
    }),
  )
  fc.assert(
    fc.property(answer, (value) => {
      expect(decodeAnswer(encodeAnswer(value))).toEqual(value)
    }),
  )
  fc.assert(
    fc.property(control, (value) => {
      expect(decodeControl(encodeControl(value))).toEqual(value)
    }),
  )
  const proof = {
    mac: Buffer.alloc(32, 1),
    compared: { from: 5, to: 9, crc: 0xfedcba98 },
    refusal: { reason: 'x', words: 'y' },
  }
  expect(decodeProof(encodeProof(proof))).toEqual(proof)
})

test('a handshake message arrives whole through any chunking, with what follows it', () => {
  const body = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(body, cuts, fc.nat(20), (sent, fractions, extra) => {
      const stream = Buffer.concat([encodeHandshake('proof', sent), Buffer.alloc(extra, 0xee)])
      const reader = new HandshakeReader()
      const rest: Buffer[] = []
      let message: Buffer | undefined
      for (const chunk of cut(stream, fractions)) {
        const taken = message === undefined ? reader.push(chunk) : { message: { body: message }, rest: chunk }
        message = taken?.message.body
        if (taken !== undefined) rest.push(taken.rest)
      }
      expect(message?.equals(sent)).toBe(true)
      expect(Buffer.concat(rest)).toEqual(Buffer.alloc(extra, 0xee))
    }),
  )
})

test('a message cut off anywhere is refused or awaited, a flipped bit never crashes', () => {
  fc.assert(
    fc.property(hello, answer, control, (h, a, c) => {
      for (const [body, decode] of [
        [encodeHello(h), decodeHello],
        [encodeAnswer(a), decodeAnswer],
        [encodeControl(c), decodeControl],
      ] as const) {
        for (let end = 0; end < body.length; end += 1) orViolation(() => decode(body.subarray(0, end)))
      }
    }),
    { numRuns: 20 },
  )
  fc.assert(
    fc.property(hello, answer, fc.nat(), (h, a, bit) => {
      for (const [kind, body] of [
        ['slave-hello', encodeHello(h)],
        ['answer', encodeAnswer(a)],
      ] as const) {
        const words = encodeHandshake(kind, body)
        const at = bit % (words.length * 8)
        words[at >> 3] = (words[at >> 3] ?? 0) ^ (1 << (at & 7))
        orViolation(() => {
          const taken = new HandshakeReader().push(words)
          if (taken !== undefined) (kind === 'answer' ? decodeAnswer : decodeHello)(taken.message.body)
        })
      }
    }),
    { numRuns: 500 },
  )
})

test('unknown fields are skipped, doubled and unfinished ones refused', () => {
  const known = encodeControl({ confirmed: 5 })
  const unknown = new FieldWriter().text(900, 'from the future').finish()
  expect(decodeControl(Buffer.concat([unknown, known]))).toEqual({ confirmed: 5 })
  expect(() => decodeControl(Buffer.concat([known, known]))).toThrow('twice')
})

test('a MAC covers everything before it, so it must be last', () => {
  const body = appendMac(encodeHello(fc.sample(hello, 1)[0] ?? never()), Buffer.alloc(32))
  const late = new FieldWriter().text(900, 'unsigned').finish()
  expect(() => decodeHello(Buffer.concat([body, late]))).toThrow(BrokerError)
})

test('of a long lineage the newest epochs travel, and a hello with them fits', () => {
  const epochs = Array.from({ length: 5000 }, (_, index) => ({
    epoch: index + 1,
    start: index * 10,
    opener: 'ab'.repeat(8),
  }))
  const decoded = decodeLineage(encodeLineage({ logId: '00'.repeat(16), epochs }))
  expect(decoded.epochs).toEqual(epochs.slice(-LINEAGE_EPOCHS_MAX))
  const value = { ...(fc.sample(hello, 1)[0] ?? never()), lineage: decoded }
  expect(encodeHandshake('slave-hello', encodeHello(value)).length).toBeLessThanOrEqual(HANDSHAKE_BYTES_MAX)
})

test('a lineage that does not ascend is refused', () => {
  const opener = '00'.repeat(8)
  const logId = '00'.repeat(16)
  for (const [second, start] of [
    [1, 9],
    [2, 4],
  ] as const) {
    const epochs = [
      { epoch: 1, start: 5, opener },
      { epoch: second, start, opener },
    ]
    expect(() => decodeLineage(encodeLineage({ logId, epochs }))).toThrow(BrokerError)
  }
})

test('reports and control frames come out as they went in, through any chunking', () => {
  const unit = fc.oneof(
    offset
      .filter((value) => value < Number.MAX_SAFE_INTEGER)
      .map((position) => ({ kind: 'report' as const, position })),
    control.map((value) => ({ kind: 'control' as const, control: value })),
  )
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 12 }), cuts, (units, fractions) => {
      const stream = Buffer.concat(
        units.map((one) =>
          one.kind === 'report' ? encodeReport(one.position) : encodeControlUp(one.control),
        ),
      )
      const reader = new UpwardReader()
      const seen = []
      for (const chunk of cut(stream, fractions)) {
        reader.feed(chunk)
        for (let next = reader.next(); next !== undefined; next = reader.next()) seen.push(next)
      }
      expect(seen).toEqual(units)
      expect(reader.isInUnit).toBe(false)
    }),
  )
})

test('frames come out as they went in, their bodies in pieces', () => {
  const unit = fc.oneof(
    fc.record({ offset: fc.nat(1e12), body: fc.uint8Array({ maxLength: 300 }) }),
    control.map((value) => ({ control: value })),
  )
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 12 }), cuts, (units, fractions) => {
      const stream = Buffer.concat(
        units.map((one) =>
          'control' in one
            ? encodeControlDown(one.control, 5)
            : Buffer.concat([encodeFrameHeader(one.offset, one.body.length), one.body]),
        ),
      )
      const reader = new DownwardReader()
      const seen: ({ control: Control } | { offset: number; body: Uint8Array; left: number })[] = []
      for (const chunk of cut(stream, fractions)) {
        reader.feed(chunk)
        for (let next = reader.next(); next !== undefined; next = reader.next()) {
          const last = seen.at(-1)
          if (next.kind === 'control') seen.push({ control: next.control })
          else if (next.kind === 'frame')
            seen.push({ offset: next.offset, body: Buffer.alloc(0), left: next.size })
          else if (last !== undefined && 'body' in last) {
            expect(next.offset).toBe(last.offset + last.body.length)
            last.body = Buffer.concat([last.body, next.bytes])
          }
        }
      }
      const wanted = units.map((one) =>
        'control' in one ? one : { ...one, body: Buffer.from(one.body), left: one.body.length },
      )
      expect(seen).toEqual(wanted)
    }),
  )
})

const up = (hexed: string) => () => {
  const reader = new UpwardReader()
  reader.feed(Buffer.from(hexed, 'hex'))
  return reader.next()
}

const down = (at: number, size: number) => () => {
  const reader = new DownwardReader()
  reader.feed(encodeFrameHeader(at, size))
  return reader.next()
}

test('lengths are checked before they are believed', () => {
  expect(up('fffffffffffeffff')).toThrow('control frame of 65537 bytes')
  expect(up('8000000000000000')).toThrow('control frame')
  expect(up('7fffffffffffffff')).toThrow('a report of 0x7fffffffffffffff, which is no log offset')
  expect(up(Buffer.from('GET / HT').toString('hex'))).toThrow('a report of 0x474554202f204854,')
  expect(down(0, FRAME_BODY_MAX)).not.toThrow()
  expect(down(0, FRAME_BODY_MAX + 1)).toThrow('announces')
  expect(down(0, -65537)).toThrow('announces')
  expect(down(-1, 0)).toThrow('no log offset')
})

test('random bytes never do worse than a violation', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
      const bytes = Buffer.from(noise)
      orViolation(() => new HandshakeReader().push(bytes))
      for (const reader of [new UpwardReader(), new DownwardReader()]) {
        reader.feed(Buffer.from(bytes))
        orViolation(() => {
          while (reader.next() !== undefined);
        })
      }
    }),
    { numRuns: 500 },
  )
})

test("a peer's words cannot write to our terminal", () => {
  const words = decodeAnswer(
    encodeAnswer({ kind: 'refuse', refusal: { reason: 'x', words: 'no\u001b[2J\nway' } }),
  )
  expect(words).toEqual({ kind: 'refuse', refusal: { reason: 'x', words: 'no?[2J?way' } })
})

function never(): never {
  throw new Error('a sample has one element')
}
