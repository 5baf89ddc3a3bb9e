import { encodeHello } from '@tandemmq/codec'
import type { Answer, Hello } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { defaultTimings } from './ha-timings.ts'
import { stepSlave } from './slave-session.ts'
import type { SlaveContext, SlaveEvent, SlaveState } from './slave-state.ts'
import { lineageOf } from './testing/memory-log.ts'
import { trace } from './testing/trace.ts'

const lineage = lineageOf({ 1: 0 })
const start: SlaveState = { kind: 'disconnected', failures: 0, retryAt: 0 }
const nonce = Buffer.alloc(16)

function context(end = 500, flush: 'when-required' | 'always' = 'when-required'): SlaveContext {
  const log = { begin: 0, end, flushed: end, segmentBytes: 65536, lineage, checksum: () => 7 }
  const member = { cluster: 'c', set: 's', identity: 'slave', instanceId: '1' }
  return {
    config: { ...member, flush, peer: 'tandemmq', overlapBytes: 0, timings: defaultTimings },
    view: () => log,
    followed: () => undefined,
  }
}

const masterHello: Hello = {
  protocolVersion: 1,
  role: 'master',
  cluster: 'c',
  set: 's',
  identity: 'master',
  instanceId: '2',
  nonce,
  begin: 0,
  end: 900,
  flushed: 900,
  flush: 'never',
  segmentBytes: 65536,
  wallClock: 0,
}

function hello(change: Partial<Hello> = {}): SlaveEvent {
  const changed = { ...masterHello, ...change }
  return { kind: 'master-hello', received: { hello: changed, signed: encodeHello(changed) }, wallClock: 0 }
}

function accept(at = 500, flushRequired = false): SlaveEvent {
  return { kind: 'answer', answer: { kind: 'accept', at, lineage, flushRequired, counted: true } }
}

const connected: SlaveEvent = { kind: 'connected', nonce, wallClock: 0 }
const closed: SlaveEvent = { kind: 'closed', jitter: 0 }
const opening: readonly (readonly [number, SlaveEvent])[] = [
  [0, { kind: 'tick' }],
  [1, connected],
  [2, hello()],
]
const streaming: typeof opening = [...opening, [3, accept()], [4, { kind: 'adopted' }]]

function play(script: typeof opening, given = context()): string[] {
  return trace(start, (state, event: SlaveEvent, now) => stepSlave(state, event, now, given), script)
}

test('from nothing to a stream', () => {
  const script: typeof opening = [
    ...streaming,
    [10, { kind: 'frame', offset: 500, size: 300 }],
    [10, { kind: 'piece', offset: 500, size: 100 }],
    [10, { kind: 'caught-up' }],
    [11, { kind: 'piece', offset: 600, size: 200 }],
    [11, { kind: 'frame', offset: 800, size: 50 }],
    [11, { kind: 'piece', offset: 800, size: 50 }],
    [11, { kind: 'caught-up' }],
    [12, { kind: 'control', control: { confirmed: 700, ping: 3 } }],
    [900, { kind: 'frame', offset: 850, size: 0 }],
    [900, { kind: 'caught-up' }],
    [1012, { kind: 'tick' }],
    [3899, { kind: 'tick' }],
    [3900, { kind: 'tick' }],
    [3900, closed],
    [3900, { kind: 'tick' }],
  ]
  expect(play(script)).toEqual([
    '0 tick -> connecting [dial]',
    '1 connected -> greeting [say-hello]',
    '2 master-hello -> proving [prove]',
    '3 answer -> adopting [adopt 500]',
    '4 adopted -> streaming [report 500]',
    '10 frame -> streaming []',
    '10 piece -> streaming [append 500]',
    '10 caught-up -> streaming [report 600]',
    '11 piece -> streaming [append 600]',
    '11 frame -> streaming []',
    '11 piece -> streaming [append 800]',
    '11 caught-up -> streaming [report 850]',
    '12 control -> streaming [send-control {"pong":3}, confirm 700]',
    '900 frame -> streaming []',
    '900 caught-up -> streaming []',
    '1012 tick -> streaming [report 850]',
    '3899 tick -> streaming [report 850]',
    '3900 tick -> leaving [hang-up silence]',
    '3900 closed -> disconnected []',
    '3900 tick -> connecting [dial]',
  ])
})

test('where the master requires it, reports wait for the disk', () => {
  const script: typeof opening = [
    ...opening,
    [3, accept(500, true)],
    [4, { kind: 'adopted' }],
    [5, { kind: 'flushed', position: 500 }],
    [6, { kind: 'frame', offset: 500, size: 100 }],
    [6, { kind: 'piece', offset: 500, size: 50 }],
    [6, { kind: 'piece', offset: 550, size: 50 }],
    [6, { kind: 'caught-up' }],
    [7, { kind: 'flushed', position: 500 }],
    [8, { kind: 'flushed', position: 600 }],
  ]
  expect(play(script).slice(3)).toEqual([
    '3 answer -> adopting [adopt 500]',
    '4 adopted -> streaming [flush]',
    '5 flushed -> streaming [report 500]',
    '6 frame -> streaming []',
    '6 piece -> streaming [append 500]',
    '6 piece -> streaming [append 550]',
    '6 caught-up -> streaming [flush]',
    '7 flushed -> streaming []',
    '8 flushed -> streaming [report 600]',
  ])
})

test('a slave told to start at an offset reports that, though its log ends below', () => {
  const script: typeof opening = [
    ...opening,
    [3, accept(131072, true)],
    [4, { kind: 'adopted' }],
    [5, { kind: 'flushed', position: 0 }],
  ]
  expect(play(script, context(0)).at(-1)).toBe('5 flushed -> streaming [report 131072]')
})

test('a frame that does not continue our log, or crosses a segment end, is never appended', () => {
  for (const [offset, size] of [
    [501, 10],
    [499, 10],
    [501, 0],
    [500, 65536],
  ] as const) {
    expect(play([...streaming, [5, { kind: 'frame', offset, size }]]).at(-1)).toBe(
      '5 frame -> leaving [hang-up violation]',
    )
  }
})

test('a start other than our end is refused: the master has compared something else', () => {
  expect(play([...opening, [3, accept(499)]]).at(-1)).toBe('3 answer -> leaving [prove, hang-up wrong-start]')
})

test('a failed append is told before the connection goes', () => {
  expect(
    play([
      ...streaming,
      [5, { kind: 'append-failed', words: 'full' }],
      [5, closed],
      [2000, { kind: 'tick' }],
      [5005, { kind: 'tick' }],
    ]).slice(5),
  ).toEqual([
    '5 append-failed -> leaving [send-control {"writable":false,"problem":"full"}, hang-up disk]',
    '5 closed -> disconnected []',
    '2000 tick -> disconnected []',
    '5005 tick -> connecting [dial]',
  ])
})

const order = (epochs: Readonly<Record<number, number>>): SlaveEvent => ({
  kind: 'answer',
  answer: { kind: 'truncate', at: 400, lineage: lineageOf(epochs) },
})

test('a cut is obeyed only to a newer epoch, and the hello said again afterwards', () => {
  expect(
    play([
      ...opening,
      [3, order({ 1: 0, 2: 400 })],
      [3, closed],
      [9, { kind: 'cut-done' }],
      [9, { kind: 'tick' }],
    ]).slice(3),
  ).toEqual([
    '3 answer -> cutting [hang-up truncate, cut 400]',
    '3 closed -> cutting []',
    '9 cut-done -> disconnected []',
    '9 tick -> connecting [dial]',
  ])
  expect(play([...opening, [3, order({ 1: 0 })]]).at(-1)).toBe(
    '3 answer -> leaving [prove, hang-up order-refused]',
  )
})

test('a master that orders before it has said who it is is not obeyed', () => {
  const orders: Answer[] = [
    { kind: 'truncate', at: 0, lineage: lineageOf({ 2: 0 }) },
    { kind: 'accept', at: 500, lineage, flushRequired: false, counted: true },
  ]
  for (const answer of orders) {
    expect(play([...opening.slice(0, 2), [3, { kind: 'answer', answer }]]).at(-1)).toBe(
      '3 answer -> leaving [prove, hang-up violation]',
    )
  }
})

test('a connection that closes while the ancestry is written does not start a second one', () => {
  const script: typeof opening = [
    ...opening,
    [3, accept()],
    [4, closed],
    [5, { kind: 'tick' }],
    [6, { kind: 'adopted' }],
    [7, { kind: 'tick' }],
  ]
  expect(play(script).slice(4)).toEqual([
    '4 closed -> adopting []',
    '5 tick -> adopting []',
    '6 adopted -> disconnected []',
    '7 tick -> disconnected []',
  ])
})

test('attempts that fail come at growing intervals, up to one second', () => {
  const waits: number[] = []
  let [state, now]: [SlaveState, number] = [start, 0]
  for (let attempt = 0; attempt < 10; attempt += 1) {
    state = stepSlave(state, { kind: 'tick' }, now, context()).state
    state = stepSlave(
      state,
      { kind: 'connect-failed', trouble: { reason: 'unreachable', words: 'ECONNREFUSED' }, jitter: 0.999 },
      now,
      context(),
    ).state
    if (state.kind !== 'disconnected') throw new Error(state.kind)
    waits.push(state.retryAt - now)
    now = state.retryAt
  }
  expect(waits).toEqual([100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000, 1000])
})

test('a stream that breaks at its start is not taken up at once, or two peers would spin', () => {
  expect(play([...streaming, [500, closed], [500, { kind: 'tick' }]]).at(-1)).toBe(
    '500 tick -> disconnected []',
  )
  expect(play([...streaming, [1004, closed], [1004, { kind: 'tick' }]]).at(-1)).toBe(
    '1004 tick -> connecting [dial]',
  )
})

test('a slave that stops says so, and goes once it has reported what still counts on it', () => {
  const script: typeof opening = [
    ...streaming,
    [10, { kind: 'leave' }],
    [11, { kind: 'frame', offset: 500, size: 100 }],
    [11, { kind: 'piece', offset: 500, size: 100 }],
    [11, { kind: 'caught-up' }],
    [12, { kind: 'control', control: { countsTo: 700 } }],
    [13, { kind: 'frame', offset: 600, size: 100 }],
    [13, { kind: 'piece', offset: 600, size: 100 }],
    [13, { kind: 'caught-up' }],
  ]
  expect(play(script).slice(streaming.length)).toMatchInlineSnapshot(`
    [
      "10 leave -> streaming [send-control {"writable":false,"problem":"this slave stops","leaving":true}]",
      "11 frame -> streaming []",
      "11 piece -> streaming [append 500]",
      "11 caught-up -> streaming [report 600]",
      "12 control -> streaming []",
      "13 frame -> streaming []",
      "13 piece -> streaming [append 600]",
      "13 caught-up -> stopped [report 700, hang-up stopped]",
    ]
  `)
})

test('a slave that stops has nothing left to report, or no answer, or no stream', () => {
  const leave: SlaveEvent = { kind: 'leave' }
  const done = play([...streaming, [10, leave], [11, { kind: 'control', control: { countsTo: 500 } }]])
  const late = play([...streaming, [10, leave], [1009, { kind: 'tick' }], [1010, { kind: 'tick' }]])
  const early = play([...opening, [10, leave]])
  expect([done, late, early].map((lines) => lines.at(-1))).toMatchInlineSnapshot(`
    [
      "11 control -> stopped [hang-up stopped]",
      "1010 tick -> stopped [hang-up stopped]",
      "10 leave -> stopped [hang-up stopped]",
    ]
  `)
})

test('a slave that flushes before it reports goes only once that is on disk', () => {
  const script: typeof opening = [
    ...opening,
    [3, accept(500, true)],
    [4, { kind: 'adopted' }],
    [5, { kind: 'frame', offset: 500, size: 100 }],
    [5, { kind: 'piece', offset: 500, size: 100 }],
    [5, { kind: 'caught-up' }],
    [6, { kind: 'leave' }],
    [7, { kind: 'control', control: { countsTo: 600 } }],
    [8, { kind: 'flushed', position: 600 }],
  ]
  expect(play(script).slice(streaming.length)).toMatchInlineSnapshot(`
    [
      "5 frame -> streaming []",
      "5 piece -> streaming [append 500]",
      "5 caught-up -> streaming [flush]",
      "6 leave -> streaming [send-control {"writable":false,"problem":"this slave stops","leaving":true}]",
      "7 control -> streaming []",
      "8 flushed -> stopped [report 600, hang-up stopped]",
    ]
  `)
})
