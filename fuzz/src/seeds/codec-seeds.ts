import { createSecretKey } from 'node:crypto'
import {
  RECORD_BYTES_MIN,
  appendMac,
  decodeRecord,
  encodeAnswer,
  encodeBlank,
  encodeControl,
  encodeControlDown,
  encodeControlUp,
  encodeEpochFile,
  encodeExtUnit,
  encodeFrameHeader,
  encodeHandshake,
  encodeHello,
  encodeJournalRecord,
  encodeLineage,
  encodeMessageBatch,
  encodeOffsetMessageId,
  encodeProof,
  encodeReceiptHandle,
  encodeRecord,
  encodeReport,
  recordSize,
  scanFrame,
  type Answer,
  type Hello,
  type Lineage,
  type ReceiptHandle,
  type RecordFields,
} from '@tandemmq/codec'
import { goldenFile, goldenNames } from './golden.ts'
import type { Seed } from './seed.ts'

const LIMITS = { recordBytesMax: 65_536, segmentBytes: 65_536 }

/** Starting points for the pure decoders: genuine bytes where there are some, else what our own encoders write. */
export function codecSeeds(): readonly Seed[] {
  return [...records(), ...texts(), ...units(), ...handshakes(), ...streams(), ...handles()]
}

function* records(): Generator<Seed> {
  const target = 'log-record'
  for (const [store, take] of [
    ['store', 5],
    ['store-extra', 6],
  ] as const) {
    const log = goldenFile(`${store}/files/commitlog/00000000000000000000`)
    const seen = new Set<string>()
    for (let at = 0; at + RECORD_BYTES_MIN < log.length && seen.size < take;) {
      const frame = scanFrame(log, at, LIMITS)
      if (frame.kind !== 'message') break
      const { sysFlag, topic } = decodeRecord(log, at)
      const kind = `${sysFlag}-${topic.replaceAll(/[^a-zA-Z]/g, '').slice(0, 8)}`
      if (!seen.has(kind) && frame.size < 1500) {
        yield { target, name: `${store}-${kind}`, bytes: log.subarray(at, at + frame.size) }
        seen.add(kind)
      }
      at += frame.size
    }
  }
  for (const [name, fields] of Object.entries(ownRecords())) {
    const bytes = Buffer.alloc(recordSize(fields, { propertyCrc: true }))
    encodeRecord(bytes, 0, fields, { propertyCrc: true })
    yield { target, name, bytes }
  }
  const two = Buffer.alloc(recordSize(ownRecords()['version-1']) * 2 + 64)
  let end = encodeRecord(two, 0, ownRecords()['version-1'])
  end += encodeRecord(two, end, { ...ownRecords()['version-1'], physicalOffset: end })
  encodeBlank(two, end, two.length - end)
  yield { target, name: 'two-and-a-blank', bytes: two }
}

function ownRecords(): Readonly<Record<'version-1' | 'version-2-ipv6' | 'inner-batch', RecordFields>> {
  const one: RecordFields = {
    version: 1,
    queueId: 3,
    flag: 0,
    queueOffset: 7,
    physicalOffset: 0,
    sysFlag: 0,
    bornTimestamp: 1_735_689_600_000,
    bornHost: { ip: '10.0.0.1', port: 40_000 },
    storeTimestamp: 1_735_689_600_005,
    storeHost: { ip: '10.0.0.2', port: 10_911 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from('hello'),
    topic: 'Orders',
    properties: 'UNIQ_KEY\u0001A1\u0002KEYS\u0001k1 k2\u0002TAGS\u0001t\u0002',
  }
  const host = { ip: '2001:db8::1', port: 10_911 }
  const longTopic = { version: 2 as const, topic: 'T'.repeat(200) }
  const inner = encodeMessageBatch([
    { flag: 1, body: Buffer.from('a'), properties: 'TAGS\u0001x\u0002' },
    { flag: 2, body: Buffer.from('bb'), properties: '' },
  ])
  return {
    'version-1': one,
    'version-2-ipv6': { ...one, ...longTopic, bornHost: host, storeHost: host },
    'inner-batch': {
      ...one,
      sysFlag: 0xc0,
      body: inner,
      properties: 'INNER_BASE\u00017\u0002INNER_NUM\u00012\u0002',
    },
  }
}

function text(target: string, name: string, content: string): Seed {
  return { target, name, bytes: Buffer.from(content) }
}

function* texts(): Generator<Seed> {
  yield text('properties', 'usual', ownRecords()['version-1'].properties)
  yield text('properties', 'no-end', 'a\u0001b\u0002c\u0001d')
  yield text('properties', 'empty-pairs', '\u0002\u0001\u0002a\u0001\u0002\u0001b\u0002k\u0001v\u0002')
  yield text('epoch-file', 'one', encodeEpochFile([{ epoch: 1, start: 0 }]))
  yield text(
    'epoch-file',
    'three',
    encodeEpochFile([
      { epoch: 1, start: 0 },
      { epoch: 2, start: 4096 },
      { epoch: 9, start: 2 ** 40 },
    ]),
  )
  yield text('epoch-file', 'unchecked', '2\n0\n1-0\n2-10\n')
  for (const store of ['store', 'store-extra']) {
    for (const name of goldenNames(`${store}/files/config`)) {
      if (!/^[a-zA-Z]+\.json$/.test(name)) continue
      const whole = goldenFile(`${store}/files/config/${name}`)
      if (whole.length < 5000) yield { target: 'apache-json', name: `${store}-${name}`, bytes: whole }
    }
  }
  yield text(
    'apache-json',
    'every-kind',
    '{"a":[1,-2.5e3,9007199254740993],0:{"b":null},"c":"\\u00e4\\n","__proto__":{"d":true}}',
  )
}

function journalRecord(tag: number, payload: string): Buffer {
  return encodeJournalRecord({ tag, durable: 0, payload: Buffer.from(payload) })
}

function* units(): Generator<Seed> {
  const queue = goldenNames('store/files/consumequeue')[0] ?? ''
  const files: readonly (readonly [string, string])[] = [
    ['consume-queue', `store/files/consumequeue/${queue}/0/00000000000000000000`],
    ['consume-queue-ext', 'store-extra/files/consumequeue_ext/GoldenExtra/0/00000000000000000000'],
    ['timer-log', 'store/files/timerlog/00000000000000000000'],
    ['checkpoint', 'store/files/checkpoint'],
    ['timer-check', 'store/files/config/timercheck'],
  ]
  for (const [name, path] of files) {
    // A file lies here without its zeros: give back those of a unit that is cut off.
    const bytes = Buffer.concat([goldenFile(path), Buffer.alloc(48)]).subarray(0, 480)
    if (name.includes('check')) yield { target: 'fixed-units', name, bytes: bytes.subarray(0, 64) }
    else yield { target: 'fixed-units', name, bytes }
  }
  const ext = Buffer.alloc(30)
  encodeExtUnit(ext, 0, { tagsCode: 5n, storeTimestamp: 1_735_689_600_000, bitmap: Buffer.alloc(10, 0xaa) })
  yield { target: 'fixed-units', name: 'ext-with-bitmap', bytes: ext }
  for (const store of ['store', 'store-extra']) {
    const file = goldenNames(`${store}/files/index`)[0]
    if (file === undefined) continue
    const bytes = Buffer.alloc(2840)
    goldenFile(`${store}/files/index/${file}`).copy(bytes)
    yield { target: 'index-file', name: store, bytes }
  }
  yield { target: 'journal-records', name: 'one', bytes: journalRecord(1, '') }
  yield {
    target: 'journal-records',
    name: 'three',
    bytes: Buffer.concat([journalRecord(1, 'a'), journalRecord(2, 'bcd'), journalRecord(3, 'e'.repeat(100))]),
  }
  const batch = encodeMessageBatch([
    { flag: 0, body: Buffer.from('one'), properties: 'TAGS\u0001a\u0002' },
    { flag: 7, body: Buffer.alloc(0), properties: '' },
  ])
  yield { target: 'message-batch', name: 'two', bytes: batch }
  const id = encodeOffsetMessageId({ ip: '::1', port: 10_911 }, 4096)
  yield {
    target: 'message-batch',
    name: 'one-long',
    bytes: encodeMessageBatch([{ flag: 1, body: Buffer.alloc(200, 1), properties: id }]),
  }
}

const SEED_LINEAGE: Lineage = {
  logId: '0123456789abcdef0123456789abcdef',
  epochs: [
    { epoch: 1, start: 0, opener: '00000000000000aa' },
    { epoch: 3, start: 300, opener: '00000000000000bb' },
  ],
}

function seedHello(role: Hello['role']): Hello {
  return {
    protocolVersion: 1,
    role,
    cluster: 'cluster',
    set: 'broker-a',
    identity: role === 'slave' ? 'slave-1' : 'master-1',
    instanceId: `instance-of-${role}`,
    nonce: Buffer.alloc(16, 1),
    begin: 0,
    end: 0,
    flushed: 0,
    flush: 'when-required',
    segmentBytes: 65_536,
    wallClock: 1_735_689_600_000,
  }
}

const REFUSAL = { reason: 'wrong-set', words: 'the slave is of another set' }
const ANSWERS: readonly Answer[] = [
  { kind: 'accept', at: 0, lineage: SEED_LINEAGE, flushRequired: true, counted: true },
  { kind: 'truncate', at: 300, lineage: SEED_LINEAGE },
  { kind: 'start-over', at: 65_536, lineage: SEED_LINEAGE },
  { kind: 'wait', refusal: REFUSAL },
  { kind: 'refuse', refusal: REFUSAL },
]

function* handshakes(): Generator<Seed> {
  const mac = Buffer.alloc(32, 5)
  const slave = encodeHello({ ...seedHello('slave'), end: 700, flushed: 700, lineage: SEED_LINEAGE })
  const master = appendMac(encodeHello({ ...seedHello('master'), compare: { from: 0, to: 300 } }), mac)
  const proof = encodeProof({ mac, compared: { from: 0, to: 300, crc: 0xdeadbeef } })
  yield { target: 'ha-handshake', name: 'slave-hello', bytes: encodeHandshake('slave-hello', slave) }
  yield { target: 'ha-handshake', name: 'master-hello', bytes: encodeHandshake('master-hello', master) }
  yield { target: 'ha-handshake', name: 'proof', bytes: encodeHandshake('proof', proof) }
  yield { target: 'ha-fields', name: 'slave-hello', bytes: slave }
  yield { target: 'ha-fields', name: 'master-hello', bytes: master }
  yield { target: 'ha-fields', name: 'proof', bytes: proof }
  yield { target: 'ha-fields', name: 'refusing-proof', bytes: encodeProof({ refusal: REFUSAL }) }
  yield { target: 'ha-fields', name: 'lineage', bytes: encodeLineage(SEED_LINEAGE) }
  for (const answer of ANSWERS) {
    const bytes = encodeAnswer(answer)
    yield { target: 'ha-fields', name: `answer-${answer.kind}`, bytes }
    yield { target: 'ha-handshake', name: `answer-${answer.kind}`, bytes: encodeHandshake('answer', bytes) }
  }
  const control = encodeControl({
    confirmed: 300,
    ping: 1,
    pong: 2,
    writable: false,
    problem: 'the disk is full',
    flushed: 100,
    dispatched: 50,
  })
  yield { target: 'ha-fields', name: 'control', bytes: control }
  const range = { from: 100, to: 200 }
  const comparison = encodeControl({
    check: range,
    checked: { ...range, crc: 0xfedcba98 },
    unchecked: range,
    mismatch: range,
    equal: range,
    end: 300,
    leaving: true,
    countsTo: 300,
  })
  yield { target: 'ha-fields', name: 'control-of-comparison', bytes: comparison }
  const roster = encodeControl({
    roster: ['broker-a-0', 'broker-a-2'],
    forgotten: ['broker-a-3'],
    abstain: 4,
  })
  yield { target: 'ha-fields', name: 'control-of-roster', bytes: roster }
}

function* streams(): Generator<Seed> {
  for (const name of goldenNames('ha')) {
    const direction = /^(.*)\.(up|down)\.bin$/.exec(name)
    if (direction === null) continue
    const target = direction[2] === 'up' ? 'ha-upward' : 'ha-downward'
    yield { target, name: `apache-${direction[1]}`, bytes: goldenFile(`ha/${name}`).subarray(0, 600) }
  }
  const up = [
    encodeReport(0),
    encodeControlUp({ writable: true, flushed: 10 }),
    encodeReport(300),
    encodeControlUp({ ping: 7 }),
  ]
  yield { target: 'ha-upward', name: 'with-control', bytes: Buffer.concat(up) }
  const range = { from: 100, to: 200 }
  const answers = [
    encodeControlUp({ checked: { ...range, crc: 0xfedcba98 } }),
    encodeControlUp({ unchecked: range }),
    encodeReport(300),
    encodeControlUp({ writable: false, problem: 'this slave stops', leaving: true }),
  ]
  yield { target: 'ha-upward', name: 'compared-and-leaving', bytes: Buffer.concat(answers) }
  const down = [
    encodeControlDown({ confirmed: 300 }, 0),
    encodeFrameHeader(0, 5),
    Buffer.from('bytes'),
    encodeFrameHeader(5, 0),
    encodeControlDown({ ping: 1 }, 5),
    encodeFrameHeader(5, 3),
    Buffer.from('abc'),
  ]
  yield { target: 'ha-downward', name: 'with-control', bytes: Buffer.concat(down) }
  const questions = [
    encodeControlDown({ confirmed: 300, end: 400 }, 300),
    encodeControlDown({ check: range }, 300),
    encodeControlDown({ mismatch: range }, 300),
    encodeControlDown({ equal: range }, 300),
    encodeControlDown({ countsTo: 400 }, 300),
  ]
  yield { target: 'ha-downward', name: 'comparing-and-leaving', bytes: Buffer.concat(questions) }
}

function* handles(): Generator<Seed> {
  const handle: ReceiptHandle = {
    set: 'broker-a',
    group: 'G',
    topic: '%RETRY%G_Orders',
    queueId: 3,
    queueOffset: 2 ** 40 + 1,
    stamp: { logEpoch: 7, physicalOffset: 4096 },
    attempt: 2,
    deliveredAt: 1_735_689_600_000,
    invisibleMs: 30_000,
    servingEpoch: 9,
  }
  // The input is what the MAC covers; the target adds the MAC.
  const whole = Buffer.from(encodeReceiptHandle(handle, createSecretKey(Buffer.alloc(32))), 'base64url')
  yield { target: 'receipt-handle', name: 'usual', bytes: whole.subarray(0, -16) }
  const scheduled = { ...handle, topic: 'rmq_sys_wheel_timer', realTopic: 'Orders' }
  const sealed = encodeReceiptHandle(scheduled, createSecretKey(Buffer.alloc(32)))
  yield {
    target: 'receipt-handle',
    name: 'scheduled',
    bytes: Buffer.from(sealed, 'base64url').subarray(0, -16),
  }
}
