import { BrokerError } from '@tandemmq/base'
import type { LogOffset } from '@tandemmq/base'
import { decodeLineage, encodeLineage } from './ha-lineage-field.ts'
import { Fields, FieldWriter, required } from './ha-tagged-fields.ts'
import { encodeRange, decodeRange } from './ha-range-field.ts'
import type { LogRange } from './ha-range-field.ts'
import type { Lineage } from './lineage.ts'

/** What both sides say of themselves before the first log byte (rule 2.2). */
export interface Hello {
  /** {@link HA_PROTOCOL_VERSION} of the speaker. */
  readonly protocolVersion: number
  readonly role: 'master' | 'slave'
  readonly cluster: string
  /** The broker set (`brokerName`). */
  readonly set: string
  /** The replica's lasting name inside its set. */
  readonly identity: string
  /** Random per process: tells a reconnect from a second process with the same identity (rule 2.4). */
  readonly instanceId: string
  /** {@link NONCE_BYTES} random bytes, fresh for each connection. */
  readonly nonce: Buffer
  readonly begin: LogOffset
  readonly end: LogOffset
  readonly flushed: LogOffset
  /** Whether reports wait for the disk: never, where the answer requires it, or always. */
  readonly flush: 'never' | 'when-required' | 'always'
  /** Segment length of the log: files can only be identical where it is the same. */
  readonly segmentBytes: number
  /** Milliseconds since the Unix epoch, to warn of skew. */
  readonly wallClock: number
  /** Absent: a log without ancestry. A master keeps it for its answer. */
  readonly lineage?: Lineage
  /** Only from a master: the range whose checksum the proof shall carry. */
  readonly compare?: LogRange
}

export const HA_PROTOCOL_VERSION = 1
export const NONCE_BYTES = 16
export const MAC_BYTES = 32
export const NAME_BYTES_MAX = 255

const TAG = {
  protocolVersion: 1,
  cluster: 2,
  set: 3,
  identity: 4,
  instanceId: 5,
  role: 6,
  nonce: 7,
  lineage: 8,
  begin: 9,
  end: 10,
  flushed: 11,
  flush: 12,
  wallClock: 13,
  mac: 14,
  compare: 15,
  segmentBytes: 16,
} as const

const roles: readonly Hello['role'][] = ['master', 'slave']
const flushes: readonly Hello['flush'][] = ['never', 'when-required', 'always']

/** The fields of a hello without a MAC: exactly the bytes that MACs cover. */
export function encodeHello(hello: Hello): Buffer {
  const fields = new FieldWriter()
    .integer(TAG.protocolVersion, hello.protocolVersion)
    .byte(TAG.role, roles.indexOf(hello.role))
    .text(TAG.cluster, hello.cluster)
    .text(TAG.set, hello.set)
    .text(TAG.identity, hello.identity)
    .text(TAG.instanceId, hello.instanceId)
    .bytes(TAG.nonce, hello.nonce)
    .integer(TAG.begin, hello.begin)
    .integer(TAG.end, hello.end)
    .integer(TAG.flushed, hello.flushed)
    .byte(TAG.flush, flushes.indexOf(hello.flush))
    .integer(TAG.segmentBytes, hello.segmentBytes)
    .integer(TAG.wallClock, hello.wallClock)
  if (hello.lineage !== undefined) fields.bytes(TAG.lineage, encodeLineage(hello.lineage))
  if (hello.compare !== undefined) fields.bytes(TAG.compare, encodeRange(hello.compare))
  return fields.finish()
}

/** A hello's body with its MAC, which is always the last field. */
export function appendMac(body: Buffer, mac: Buffer): Buffer {
  return Buffer.concat([body, new FieldWriter().bytes(TAG.mac, mac).finish()])
}

export interface ReceivedHello {
  readonly hello: Hello
  /** The body without its MAC field: what a MAC must cover. */
  readonly signed: Buffer
  readonly mac?: Buffer
}

/** Throws `PROTOCOL_VIOLATION` for a missing or malformed field. */
export function decodeHello(body: Buffer): ReceivedHello {
  const fields = new Fields(body)
  const mac = fields.bytes(TAG.mac, MAC_BYTES)
  const signed = mac === undefined ? body : body.subarray(0, body.length - MAC_BYTES - 4)
  if (mac !== undefined && (mac.length === 0 || new Fields(signed).bytes(TAG.mac) !== undefined)) {
    throw new BrokerError('PROTOCOL_VIOLATION', 'the MAC is not the last field of a hello')
  }
  const lineage = fields.bytes(TAG.lineage)
  const compare = fields.bytes(TAG.compare)
  const hello: Hello = {
    protocolVersion: required(fields.integer(TAG.protocolVersion), 'the protocol version of a hello'),
    role: required(roles[fields.byte(TAG.role) ?? -1], 'the role of a hello'),
    cluster: name(fields, TAG.cluster, 'cluster'),
    set: name(fields, TAG.set, 'set'),
    identity: name(fields, TAG.identity, 'identity'),
    instanceId: name(fields, TAG.instanceId, 'instance id'),
    nonce: required(fields.bytes(TAG.nonce, NONCE_BYTES), 'the nonce of a hello'),
    begin: required(fields.offset(TAG.begin), 'the begin of a hello'),
    end: required(fields.offset(TAG.end), 'the end of a hello'),
    flushed: required(fields.offset(TAG.flushed), 'the flushed end of a hello'),
    flush: required(flushes[fields.byte(TAG.flush) ?? -1], 'the flush of a hello'),
    segmentBytes: required(fields.offset(TAG.segmentBytes), 'the segment length of a hello'),
    wallClock: required(fields.integer(TAG.wallClock), 'the wall clock of a hello'),
    ...(lineage === undefined ? {} : { lineage: decodeLineage(lineage) }),
    ...(compare === undefined ? {} : { compare: decodeRange(compare) }),
  }
  if (hello.begin > hello.end) {
    throw new BrokerError('PROTOCOL_VIOLATION', `a log from ${hello.begin} to ${hello.end}`)
  }
  return { hello, signed, ...(mac === undefined ? {} : { mac }) }
}

function name(fields: Fields, tag: number, what: string): string {
  const text = required(fields.text(tag, NAME_BYTES_MAX), `the ${what} of a hello`)
  if (text === '') throw new BrokerError('PROTOCOL_VIOLATION', `the ${what} of a hello is empty`)
  return text
}
