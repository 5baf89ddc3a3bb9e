import { UpwardReader, encodeFrameHeader } from '@tandemmq/codec'
import type { Connection } from '@tandemmq/base'
import { expect, test } from 'vitest'
import { apacheTimings } from './ha-timings.ts'
import { stepSlave } from './slave-session.ts'
import type { SlaveContext, SlaveEvent, SlaveState } from './slave-state.ts'
import { MemoryLog } from './testing/memory-log.ts'
import { HA_PORT, Pair, complaints } from './testing/pair.ts'
import { trace } from './testing/trace.ts'

const SEGMENT_BYTES = 65536
const start: SlaveState = { kind: 'disconnected', failures: 0, retryAt: 0 }

function play(begin: number, end: number, script: readonly (readonly [number, SlaveEvent])[]): string[] {
  const log = { begin, end, flushed: end, segmentBytes: SEGMENT_BYTES, checksum: () => 7 }
  const config = {
    cluster: 'c',
    set: 's',
    identity: 'slave',
    instanceId: '1',
    flush: 'when-required',
    peer: 'apache',
    overlapBytes: 1000,
    timings: apacheTimings,
  } as const
  const context: SlaveContext = { config, view: () => log, followed: () => undefined }
  const opening: typeof script = [
    [0, { kind: 'tick' }],
    [1, { kind: 'connected', nonce: Buffer.alloc(16), wallClock: 0 }],
  ]
  const step = (state: SlaveState, event: SlaveEvent, now: number) => stepSlave(state, event, now, context)
  return trace(start, step, [...opening, ...script]).slice(1)
}

function asked(begin: number, end: number): string | undefined {
  return play(begin, end, []).at(0)
}

const closed: SlaveEvent = { kind: 'closed', jitter: 0 }

test('rule 2.6: what lies at our end is asked for again, and nothing is appended before it has come and is the same', () => {
  const lines = play(0, 5000, [
    [2, { kind: 'frame', offset: 4000, size: 600 }],
    [2, { kind: 'overlap', size: 600 }],
    [3, { kind: 'frame', offset: 4600, size: 0 }],
    [4, { kind: 'frame', offset: 4600, size: 700 }],
    [4, { kind: 'overlap', size: 400 }],
    [4, { kind: 'piece', offset: 5000, size: 300 }],
    [4, { kind: 'caught-up' }],
  ])
  expect(lines).toEqual([
    '1 connected -> comparing [report 4000]',
    '2 frame -> comparing []',
    '2 overlap -> comparing []',
    '3 frame -> comparing []',
    '4 frame -> comparing []',
    '4 overlap -> streaming [report 5000]',
    '4 piece -> streaming [append 5000]',
    '4 caught-up -> streaming [report 5300]',
  ])
})

test('rule 2.6: where the question begins', () => {
  // Not 0: that asks Apache for its last file.
  expect(asked(0, 700)).toBe('1 connected -> comparing [report 1]')
  expect(asked(0, 2000)).toBe('1 connected -> comparing [report 1000]')
  // In the file that holds our last byte.
  expect(asked(0, SEGMENT_BYTES + 10)).toBe(`1 connected -> comparing [report ${SEGMENT_BYTES}]`)
  expect(asked(0, SEGMENT_BYTES)).toBe(`1 connected -> comparing [report ${SEGMENT_BYTES - 1000}]`)
  expect(asked(2 * SEGMENT_BYTES, 2 * SEGMENT_BYTES + 10)).toBe(
    `1 connected -> comparing [report ${2 * SEGMENT_BYTES}]`,
  )
  expect(asked(SEGMENT_BYTES, SEGMENT_BYTES)).toBe('1 connected -> streaming [report 0]')
})

test('rule 2.6: different bytes stop it for the operator; it asks again, slowly, and never appends', () => {
  const lines = play(0, 5000, [
    [2, { kind: 'frame', offset: 4000, size: 2000 }],
    [2, { kind: 'overlap', size: 1000, differsAt: 4321 }],
    [2, { kind: 'piece', offset: 5000, size: 1000 }],
    [2, closed],
    [2501, { kind: 'tick' }],
    [2502, { kind: 'tick' }],
    [2503, { kind: 'connected', nonce: Buffer.alloc(16), wallClock: 0 }],
  ])
  expect(lines.slice(2)).toEqual([
    '2 overlap -> leaving [hang-up bytes-differ]',
    '2 piece -> leaving []',
    '2 closed -> disconnected []',
    '2501 tick -> disconnected []',
    '2502 tick -> connecting [dial]',
    '2503 connected -> comparing [report 4000]',
  ])
})

test('rule 2.6: after 6 s of heartbeats alone it goes on at its end, once, and says that nothing was compared', () => {
  const lines = play(0, 5000, [
    [5000, { kind: 'frame', offset: 4000, size: 0 }],
    [6000, { kind: 'tick' }],
    [6001, { kind: 'tick' }],
    [6001, closed],
    [6001, { kind: 'tick' }],
    [6002, { kind: 'connected', nonce: Buffer.alloc(16), wallClock: 0 }],
    [6003, { kind: 'frame', offset: 5000, size: 10 }],
    [6003, { kind: 'piece', offset: 5000, size: 10 }],
    [9000, closed],
    [9000, { kind: 'tick' }],
    [9001, { kind: 'connected', nonce: Buffer.alloc(16), wallClock: 0 }],
  ])
  expect(lines.slice(1)).toEqual([
    '5000 frame -> comparing []',
    '6000 tick -> comparing []',
    '6001 tick -> leaving [hang-up not-compared]',
    '6001 closed -> disconnected []',
    '6001 tick -> connecting [dial]',
    '6002 connected -> streaming [report 5000]',
    '6003 frame -> streaming []',
    '6003 piece -> streaming [append 5000]',
    '9000 closed -> disconnected []',
    '9000 tick -> connecting [dial]',
    '9001 connected -> comparing [report 4000]',
  ])
})

test('a master that ends below our end is not followed: what it appends next would be another log', () => {
  const lines = play(0, 5000, [
    [2, { kind: 'frame', offset: 4000, size: 300 }],
    [2, { kind: 'overlap', size: 300 }],
    [5002, { kind: 'frame', offset: 4300, size: 0 }],
    [6002, { kind: 'tick' }],
  ])
  expect(lines.at(-1)).toBe('6002 tick -> leaving [hang-up ahead-of-master]')
})

test('frames that skip, go back, cross a file or have a negative size end the comparison', () => {
  for (const frame of [
    { kind: 'frame', offset: 4001, size: 10 },
    { kind: 'frame', offset: 3999, size: 10 },
    { kind: 'frame', offset: 5000, size: 0 },
    { kind: 'frame', offset: 4000, size: SEGMENT_BYTES },
    { kind: 'control', control: { confirmed: 1 } },
  ] as const) {
    expect(play(0, 5000, [[2, frame]]).at(-1)).toBe(`2 ${frame.kind} -> leaving [hang-up violation]`)
  }
})

/** A master as Apache's is: sends from the first report on, heartbeats at once, knows no hello. */
async function apacheMaster(pair: Pair, log: Buffer, frameBytes: number): Promise<void> {
  const serve = (connection: Connection): void => {
    const upward = new UpwardReader()
    let next: number | undefined
    connection.start({
      data: (chunk) => {
        upward.feed(chunk)
        const said = upward.next()
        if (next !== undefined || said?.kind !== 'report') return
        next = said.position
        connection.write(encodeFrameHeader(next, 0))
        while (next < log.length) {
          const size = Math.min(frameBytes, log.length - next, SEGMENT_BYTES - (next % SEGMENT_BYTES))
          connection.write(encodeFrameHeader(next, size), log.subarray(next, next + size))
          next += size
        }
      },
      drained: () => {},
      closed: () => {},
    })
  }
  await pair.clock.outcome(pair.net.host('m').attach().listen({ host: '0.0.0.0', port: HA_PORT }, serve))
}

for (const frameBytes of [1, 999, 32768]) {
  test(`bytes are compared and appended in frames of ${frameBytes}`, async () => {
    const pair = new Pair()
    const bytes = pair.random.bytes(SEGMENT_BYTES + 3000)
    await apacheMaster(pair, bytes, frameBytes)
    const log = new MemoryLog(pair.clock, { segmentBytes: SEGMENT_BYTES })
    log.write(bytes.subarray(0, SEGMENT_BYTES + 1500))
    pair.follow(log, { peer: 'apache' }, 's', false)
    await pair.clock.advance(3_000)
    expect(log.bytes.equals(bytes)).toBe(true)
    expect(complaints(pair.slaveLogger)).toEqual([])
  })
}

test('one differing bit in the end of the log, and the operator is told; the log stays as it is', async () => {
  const pair = new Pair()
  const bytes = pair.random.bytes(3000)
  await apacheMaster(pair, bytes, 32768)
  const log = new MemoryLog(pair.clock, { segmentBytes: SEGMENT_BYTES })
  log.write(bytes.subarray(0, 1500))
  log.damage(700)
  const slave = pair.follow(log, { peer: 'apache' }, 's', false)
  await pair.clock.advance(12_000)
  expect([log.end, log.cuts, slave.masterConnected]).toEqual([1500, [], false])
  expect(complaints(pair.slaveLogger)).toEqual([
    'bytes-differ: the logs of slave and master differ at 700: one of them must be emptied by hand',
  ])
})
