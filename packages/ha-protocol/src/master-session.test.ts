import { encodeHello } from '@tandemmq/codec'
import type { Hello, Proof } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { apacheTimings, defaultTimings } from './ha-timings.ts'
import { stepMaster } from './master-session.ts'
import type { MasterConfig, MasterContext, MasterEvent, MasterState } from './master-state.ts'
import { lineageOf } from './testing/memory-log.ts'
import { trace } from './testing/trace.ts'

const start: MasterState = { kind: 'awaiting-hello', since: 0 }
const nonce = Buffer.alloc(16)
const lineage = lineageOf({ 1: 0, 2: 600 })

function context(change: Partial<MasterConfig> = {}): MasterContext {
  const log = { begin: 0, end: 900, flushed: 900, segmentBytes: 65536, lineage, checksum: () => 7 }
  const member = { cluster: 'c', set: 's', identity: 'master', instanceId: '1' }
  const timings = { timings: defaultTimings, legacyTimings: apacheTimings }
  return {
    config: {
      ...member,
      flushRequired: false,
      acceptLoss: false,
      legacySlaves: 'none',
      ...timings,
      ...change,
    },
    view: () => log,
    tail: () => ({ kind: 'complete' }),
  }
}

const slave: Hello = {
  protocolVersion: 1,
  role: 'slave',
  cluster: 'c',
  set: 's',
  identity: 'slave',
  instanceId: '2',
  nonce,
  begin: 0,
  end: 500,
  flushed: 500,
  flush: 'when-required',
  segmentBytes: 65536,
  wallClock: 0,
  lineage: lineageOf({ 1: 0 }),
}
type Script = readonly (readonly [number, MasterEvent])[]

function hello(change: Partial<Hello> = {}): MasterEvent {
  const changed = { ...slave, ...change }
  return { kind: 'hello', received: { hello: changed, signed: encodeHello(changed) }, nonce, wallClock: 0 }
}

function proof(crc = 7, to = 500): MasterEvent {
  const sent: Proof = { compared: { from: 0, to, crc } }
  return { kind: 'proof', proof: sent }
}

const accepted: Script = [
  [1, hello()],
  [2, proof()],
  [2, { kind: 'claimed' }],
]

function play(script: Script, given = context()): string[] {
  return trace(start, (state, event: MasterEvent, now) => stepMaster(state, event, now, given), script)
}

test('a slave that is a prefix of ours is accepted, and sent to after its first report', () => {
  const script: Script = [
    ...accepted,
    [3, { kind: 'report', position: 500 }],
    [3, { kind: 'sent', next: 900 }],
    [5, { kind: 'report', position: 900 }],
    [1003, { kind: 'tick' }],
    [1500, { kind: 'control', control: { ping: 9 } }],
    [2003, { kind: 'tick' }],
    [4499, { kind: 'tick' }],
    [4500, { kind: 'tick' }],
  ]
  expect(play(script)).toEqual([
    '1 hello -> awaiting-proof [say-hello]',
    '2 proof -> claiming [introduce, claim]',
    '2 claimed -> streaming [answer, admit counted]',
    '3 report -> streaming [start-sending 500, progress 500]',
    '3 sent -> streaming []',
    '5 report -> streaming [progress 900]',
    '1003 tick -> streaming [heartbeat]',
    '1500 control -> streaming [pong, note {"ping":9}]',
    '2003 tick -> streaming [heartbeat]',
    '4499 tick -> streaming [heartbeat]',
    '4500 tick -> closed [hang-up silence]',
  ])
})

test('reports beyond what was sent, or going back, count nothing (rule 2.4)', () => {
  const first: Script = [...accepted, [3, { kind: 'report', position: 500 }]]
  const beyond = play([...first, [4, { kind: 'report', position: 501 }]])
  expect(beyond.at(-1)).toBe('4 report -> closed [hang-up violation]')
  const back = play([...first, [4, { kind: 'report', position: 499 }]])
  expect(back.at(-1)).toBe('4 report -> closed [hang-up violation]')
  const early = play([...accepted, [4, { kind: 'report', position: 900 }]])
  expect(early.at(-1)).toBe('4 report -> closed [hang-up violation]')
})

test('nothing is taken before the handshake is over', () => {
  for (const before of [[], accepted.slice(0, 1), accepted.slice(0, 2)]) {
    expect(play([...before, [2, { kind: 'control', control: {} }]]).at(-1)).toContain(
      '-> closed [hang-up violation]',
    )
  }
  expect(play([[1, { kind: 'report', position: 500 }]])).toEqual(['1 report -> closed [hang-up no-hello]'])
})

test('the handshake as a whole has five seconds', () => {
  expect(
    play([
      [4999, { kind: 'tick' }],
      [5000, { kind: 'tick' }],
    ]),
  ).toEqual(['4999 tick -> awaiting-hello []', '5000 tick -> closed [hang-up late-handshake]'])
  expect(
    play([
      [4000, hello()],
      [5000, { kind: 'tick' }],
    ]).at(-1),
  ).toBe('5000 tick -> closed [hang-up late-handshake]')
})

test('bytes that differ, or are not compared, end in a refusal', () => {
  expect(
    play([
      [1, hello()],
      [2, proof(8)],
    ]).at(-1),
  ).toBe('2 proof -> closed [introduce, answer, hang-up bytes-differ]')
  expect(
    play([
      [1, hello()],
      [2, proof(7, 499)],
    ]).at(-1),
  ).toBe('2 proof -> closed [introduce, answer, hang-up not-compared]')
  expect(
    play([
      [1, hello()],
      [2, { kind: 'proof', proof: {} }],
    ]).at(-1),
  ).toBe('2 proof -> closed [introduce, answer, hang-up not-compared]')
})

test('a slave that went on after we parted is told to cut, once its bytes below were compared', () => {
  const longer = hello({ end: 700 })
  expect(
    play([
      [1, longer],
      [2, proof(7, 600)],
    ]).at(-1),
  ).toBe('2 proof -> closed [introduce, answer, hang-up truncate]')
  expect(
    play([
      [1, longer],
      [2, proof(8, 600)],
    ]).at(-1),
  ).toBe('2 proof -> closed [introduce, answer, hang-up bytes-differ]')
})

test('a slave that cannot flush is served and not counted where that is required', () => {
  const script: Script = [[1, hello({ flush: 'never' })], ...accepted.slice(1)]
  expect(play(script, context({ flushRequired: true })).at(-1)).toBe(
    '2 claimed -> streaming [answer, admit not counted]',
  )
  expect(play(script).at(-1)).toBe('2 claimed -> streaming [answer, admit counted]')
})

test('a contested identity: the rival answers, goes, or is silent for a second', () => {
  const contested: Script = [...accepted.slice(0, 2), [2, { kind: 'contested' }]]
  expect(play([...contested, [3, { kind: 'rival-alive', words: 'here' }]]).at(-1)).toBe(
    '3 rival-alive -> closed [answer, hang-up identity-in-use]',
  )
  expect(play([...contested, [3, { kind: 'rival-gone' }]]).at(-1)).toBe(
    '3 rival-gone -> streaming [evict-rival, answer, admit counted]',
  )
  expect(play([...contested, [1001, { kind: 'tick' }], [1002, { kind: 'tick' }]]).slice(-2)).toEqual([
    '1001 tick -> awaiting-rival []',
    '1002 tick -> streaming [evict-rival, answer, admit counted]',
  ])
})

test('a slave without a hello is served where that is allowed, at the pace of Apache', () => {
  const legacy = context({ legacySlaves: 'served' })
  const script: Script = [
    [1, { kind: 'report', position: 0 }],
    [1, { kind: 'sent', next: 900 }],
    [9, { kind: 'report', position: 900 }],
    [5001, { kind: 'tick' }],
    [20_009, { kind: 'tick' }],
  ]
  expect(play(script, legacy)).toEqual([
    '1 report -> streaming [admit-legacy not counted, progress 0, start-sending 0]',
    '1 sent -> streaming []',
    '9 report -> streaming [progress 900]',
    '5001 tick -> streaming [heartbeat]',
    '20009 tick -> closed [hang-up silence]',
  ])
  expect(play([[1, { kind: 'report', position: 901 }]], legacy)).toEqual([
    '1 report -> closed [hang-up violation]',
  ])
})

function admission(counted: string): string {
  return `9999 report -> streaming [admit-legacy ${counted}, progress 500, start-sending 500]`
}

test('rule 2.6: it may take more than 5 s for its first word, and counts only where configured, never under SYNC_FLUSH', () => {
  const script: Script = [
    [9_999, { kind: 'tick' }],
    [9_999, { kind: 'report', position: 500 }],
  ]
  const admitted = (legacySlaves: 'served' | 'counted', flushRequired: boolean): string | undefined =>
    play(script, context({ legacySlaves, flushRequired })).at(-1)
  expect(admitted('served', false)).toBe(admission('not counted'))
  expect(admitted('counted', true)).toBe(admission('not counted'))
  expect(admitted('counted', false)).toBe(admission('counted'))
  expect(play([[10_000, { kind: 'tick' }]], context({ legacySlaves: 'served' }))).toEqual([
    '10000 tick -> closed [hang-up late-handshake]',
  ])
})
