import { FieldWriter } from '@tandemmq/codec'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeAnswer,
  decodeChange,
  decodeSnapshot,
  encodeAnswer,
  encodeChange,
  encodeSnapshot,
  groupConfig,
  topicConfig,
  type Change,
} from './index.ts'
import { CHANGE_TAGS } from './change-tags.ts'
import { acked, delivery, key, stamp } from './world.test-data.ts'

const version = { processEpoch: 1_795_364_941_123, counter: 7 }
const generation = { servingEpoch: 1_795_364_941_123, counter: 2 }

const changes: readonly Change[] = [
  {
    kind: 'topic-put',
    topic: topicConfig({ name: '__proto__', type: 'MIXED', extra: new Map([['new', [1, 'x']]]) }),
    version,
  },
  { kind: 'topic-delete', name: '%DLQ%G', version, generation },
  { kind: 'group-put', group: groupConfig({ name: 'G', orderly: true, retryMaxTimes: -1 }), version },
  { kind: 'group-delete', name: 'G', version, generation },
  {
    kind: 'lease',
    ...key,
    servingEpoch: 9,
    deliveries: [delivery(1), { ...delivery(2), remainingMs: 0 }],
    generation,
  },
  { kind: 'ack', ...key, records: [acked(1), { ...acked(9), from: 4, after: stamp(12, 3) }], generation },
  { kind: 'visibility', ...key, servingEpoch: 9, delivery: delivery(3), generation },
  { kind: 'reset', ...key, to: 5, generation },
  { kind: 'cut', ends: [{ topic: 'Orders', queueId: 2, end: 77 }], generation },
  { kind: 'delay', done: [acked(0)], generation },
  {
    kind: 'delay-levels',
    levels: [
      [1, 4],
      [18, 0],
    ],
  },
  { kind: 'moved', from: 3, to: 5 },
  {
    kind: 'progress',
    ...key,
    generation,
    voidFrom: Number.MAX_SAFE_INTEGER,
    acked: [
      [0, 5],
      [7, 9],
    ],
    marks: [{ queueOffset: 8, stamp: stamp(8) }],
    leases: [{ ...delivery(6), remainingMs: 3, servingEpoch: 4, attempts: 5 }],
  },
  { kind: 'diverged', ...key, end: 77 },
  { kind: 'diverged', ...key, end: 9, last: { queueOffset: 8, stamp: stamp(8) } },
  {
    kind: 'unsettled',
    ...key,
    offsets: [
      [3, 4],
      [7, 9],
    ],
  },
  {
    kind: 'progress',
    ...key,
    generation,
    voidFrom: Number.MAX_SAFE_INTEGER,
    acked: [[0, 5]],
    marks: [],
    leases: [],
    settling: {
      writes: [
        { queueOffset: 3, write: stamp(12, 3) },
        { queueOffset: 1, write: stamp(13, 3) },
      ],
      horizon: stamp(11),
    },
  },
]

test('every kind of change comes back as it was', () => {
  expect(new Set(changes.map((change) => change.kind))).toEqual(new Set(Object.keys(CHANGE_TAGS)))
  for (const change of changes) expect(decodeChange(encodeChange(change))).toEqual(change)
})

test('unknown fields are skipped, unknown kinds say nothing', () => {
  const [change] = changes
  if (change === undefined) throw new Error('there are changes')
  const newer = Buffer.concat([
    encodeChange(change),
    new FieldWriter().text(77, 'news').number(78, 1).finish(),
  ])
  expect(decodeChange(newer)).toEqual(change)
  expect(decodeChange(new FieldWriter().varint(99).text(1, 'x').finish())).toBeUndefined()
})

test('cut short or altered, a change is refused by name or still one of ours', () => {
  fc.assert(
    fc.property(
      fc.nat(changes.length - 1),
      fc.nat(400),
      fc.nat(255),
      fc.boolean(),
      (index, at, value, isCut) => {
        const bytes = Buffer.from(encodeChange(changes[index] ?? { kind: 'delay', done: [] }))
        const place = at % bytes.length
        if (!isCut) bytes[place] = value
        try {
          const change = decodeChange(isCut ? bytes.subarray(0, place) : bytes)
          if (change !== undefined) encodeChange(change)
        } catch (thrown) {
          expect(thrown).toSatisfy(isRefusal)
        }
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a hostile entry is left out and named, the others count', () => {
  const good = encodeChange({ kind: 'topic-put', topic: topicConfig({ name: 'Orders' }), version })
  const evil = new FieldWriter()
    .varint(CHANGE_TAGS['topic-put'])
    .text(1, '{"topicName":"../../etc"}')
    .finish()
  const deep = new FieldWriter().varint(CHANGE_TAGS['topic-put']).text(1, '['.repeat(100_000)).finish()
  const huge = Buffer.concat([new FieldWriter().varint(CHANGE_TAGS.ack).finish(), Buffer.alloc(12, 0xff)])
  const bytes = new FieldWriter()
    .nested(1, (cursor) => cursor.varint(1).varint(2))
    .nested(4, (topics) => topics.bytes(1, evil).bytes(1, good).bytes(1, deep))
    .nested(6, (progress) => progress.bytes(1, huge).bytes(1, good))
    .finish()
  const answer = decodeAnswer(bytes)
  expect(answer.snapshot?.topics).toEqual([decodeChange(good)])
  // A topic cannot come in among the progress.
  expect(answer.snapshot?.progress).toEqual([])
  expect(answer.snapshot?.groups).toBeUndefined()
  expect(answer.problems).toEqual({
    topics: expect.stringContaining('no topic name'),
    progress: expect.any(String),
  })
  expect(() => decodeAnswer(Buffer.alloc(0))).toThrow(/lacks its cursor/)
  expect(() => decodeAnswer(Buffer.alloc(50, 0xff))).toThrow(
    expect.objectContaining({ code: 'PROTOCOL_VIOLATION' }),
  )
})

test('answers and snapshots come back as they were', () => {
  const cursor = { processEpoch: 5, counter: 12 }
  const incremental = { cursor, since: { processEpoch: 5, counter: 0 }, changes, problems: {} }
  expect(decodeAnswer(encodeAnswer(incremental))).toEqual(incremental)
  const snapshot = { topics: changes.slice(0, 2), groups: [], progress: changes.slice(11) }
  expect(decodeSnapshot(encodeSnapshot(snapshot))).toEqual(snapshot)
  expect(decodeAnswer(encodeAnswer({ cursor, snapshot, changes: [] }))).toEqual({
    cursor,
    snapshot,
    changes: [],
    problems: {},
  })
})

function isRefusal(thrown: unknown): boolean {
  const codes = ['PROTOCOL_VIOLATION', 'ILLEGAL_ARGUMENT', 'CONFIG_INVALID']
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code))
}
