import type { PeerCertificate } from '@tandemmq/base'
import { encodeHello } from '@tandemmq/codec'
import type { Hello } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { certifiedName, whyNotCertified } from './certified-member.ts'
import { apacheTimings, defaultTimings } from './ha-timings.ts'
import { stepMaster } from './master-session.ts'
import type { MasterContext, MasterEvent, MasterState } from './master-state.ts'
import { stepSlave } from './slave-session.ts'
import type { SlaveContext, SlaveEvent, SlaveState } from './slave-state.ts'
import { lineageOf } from './testing/memory-log.ts'
import { trace } from './testing/trace.ts'

const lineage = lineageOf({ 1: 0 })
const log = { begin: 0, end: 500, flushed: 500, segmentBytes: 65536, lineage, checksum: () => 7 }
const nonce = Buffer.alloc(16)
const hello: Hello = {
  protocolVersion: 1,
  role: 'slave',
  cluster: 'c',
  set: 's',
  identity: 's-1',
  instanceId: '2',
  nonce,
  begin: 0,
  end: 500,
  flushed: 500,
  flush: 'when-required',
  segmentBytes: 65536,
  wallClock: 0,
  lineage,
}
const awaiting: MasterState = { kind: 'awaiting-hello', since: 0 }
const disconnected: SlaveState = { kind: 'disconnected', failures: 0, retryAt: 0 }
/** A slave of Apache's. */
const report: MasterEvent = { kind: 'report', position: 0 }
const wholeSet: PeerCertificate = { names: ['tandemmq://c/s'] }

function master(change: Partial<MasterContext['config']> = {}): MasterContext {
  const member = { cluster: 'c', set: 's', identity: 's-0', instanceId: '1', certified: true }
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

function slave(certified: boolean): SlaveContext {
  const member = { cluster: 'c', set: 's', identity: 's-1', instanceId: '2', certified }
  return {
    config: { ...member, flush: 'when-required', peer: 'tandemmq', overlapBytes: 0, timings: defaultTimings },
    view: () => log,
    followed: () => undefined,
  }
}

/** What a master does with a hello on a connection with this certificate. */
function greeted(
  certificate: PeerCertificate | undefined,
  change: Partial<Hello> = {},
  given = master(),
): string {
  const said = { ...hello, ...change }
  const event: MasterEvent = {
    kind: 'hello',
    received: { hello: said, signed: encodeHello(said) },
    nonce,
    wallClock: 0,
    certificate,
  }
  return trace<MasterState, MasterEvent>(
    awaiting,
    (state, next, now) => stepMaster(state, next, now, given),
    [[1, event]],
  ).join()
}

/** What a slave does with the hello of a master that has shown this certificate. */
function met(certificate: PeerCertificate | undefined, certified = true): string | undefined {
  const said: Hello = { ...hello, role: 'master', identity: 's-0', flush: 'never' }
  const script: readonly (readonly [number, SlaveEvent])[] = [
    [0, { kind: 'tick' }],
    [1, { kind: 'connected', nonce, wallClock: 0 }],
    [
      2,
      {
        kind: 'master-hello',
        received: { hello: said, signed: encodeHello(said) },
        wallClock: 0,
        certificate,
      },
    ],
  ]
  const given = slave(certified)
  return trace(
    disconnected,
    (state, event: SlaveEvent, now) => stepSlave(state, event, now, given),
    script,
  ).at(-1)
}

const accepted = '1 hello -> awaiting-proof [say-hello]'
const refused = '1 hello -> closed [answer, hang-up certificate]'

test('with mutual TLS a certificate names the set or the very member, in the cluster; nothing else will do', () => {
  expect(greeted(wholeSet)).toBe(accepted)
  expect(greeted({ names: ['https://x', 'tandemmq://c/s/s-1'] })).toBe(accepted)
  for (const name of [
    'tandemmq://c/s/s-2',
    'tandemmq://c/t',
    'tandemmq://d/s',
    'tandemmq://c',
    'tandemmq://c/s/',
    's-1',
  ]) {
    expect(greeted({ names: [name] }), name).toBe(refused)
  }
  expect(greeted({ names: [] })).toBe(refused)
  expect(greeted(undefined)).toBe(refused)
  expect(greeted({ ...wholeSet, problem: 'has expired' })).toBe(refused)
})

test('a slave with a certificate of another set is refused, whichever set it says it is of', () => {
  const other: PeerCertificate = { names: ['tandemmq://c/other'] }
  expect(greeted(other)).toBe(refused)
  expect(greeted(other, { set: 'other' })).toBe('1 hello -> closed [answer, hang-up wrong-set]')
})

test('the master proves itself in the same way, before the slave sends it more than its hello', () => {
  expect(met(wholeSet)).toBe('2 master-hello -> proving [prove]')
  expect(met({ names: ['tandemmq://c/s/s-0'] })).toBe('2 master-hello -> proving [prove]')
  for (const certificate of [undefined, { names: [] }, { names: ['tandemmq://c/s/s-1'] }]) {
    expect(met(certificate)).toBe('2 master-hello -> leaving [prove, hang-up certificate]')
  }
  expect(met(undefined, false)).toBe('2 master-hello -> proving [prove]')
})

test('without mutual TLS no certificate is looked at; with it nobody gets in without a hello', () => {
  expect(greeted(undefined, {}, master({ certified: false }))).toBe(accepted)
  const given = master({ legacySlaves: 'counted' })
  const lines = trace<MasterState, MasterEvent>(
    awaiting,
    (state, event, now) => stepMaster(state, event, now, given),
    [[1, report]],
  )
  expect(lines).toEqual(['1 report -> closed [hang-up no-hello]'])
})

test('the refusal says in words what the certificate says and what it should', () => {
  expect(certifiedName({ cluster: 'c', set: 's' })).toBe('tandemmq://c/s')
  expect(whyNotCertified(hello, { names: ['tandemmq://c/other', 'https://x'] })?.words).toBe(
    'the certificate of slave "s-1" names tandemmq://c/other, https://x, not tandemmq://c/s or tandemmq://c/s/s-1',
  )
  expect(whyNotCertified(hello, { names: [], problem: 'has expired' })?.words).toBe(
    'the certificate of slave "s-1" has expired',
  )
})
