import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'
import { BrokerError, type QueueOffset } from '@tandemmq/base'
import type { RecordStamp } from './lineage.ts'
import { FieldReader, FieldWriter } from './tagged-fields.ts'

/** What a consumer gives back to acknowledge a delivery, or to change its invisibility (rule 5.7). Opaque to clients. */
export interface ReceiptHandle {
  /** The broker set (`brokerName`): where a gateway sends it. */
  readonly set: string
  readonly group: string
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: QueueOffset
  readonly stamp: RecordStamp
  /** 1 = first delivery. */
  readonly attempt: number
  /** Wall clock of the machine that delivered, ms. */
  readonly deliveredAt: number
  readonly invisibleMs: number
  readonly servingEpoch: number
  /**
   * The topic in which the consumer asked for it, where the record is a scheduled one that waits in the timer queue (rule 5.6). Who does not know this
   * field takes the handle for one of the timer topic, and refuses it there.
   */
  readonly realTopic?: string
}

/** What a gateway reads of a handle without the key. Believe it only for choosing the broker, which checks the rest. */
export interface ReceiptRoute {
  readonly set: string
  readonly group: string
  readonly topic: string
}

const VERSION = 1
const MAC_BYTES = 16
/** Names are at most 255 bytes each, so a genuine handle stays far below. */
const MAX_TEXT = 2048

/**
 * Text of the base64url alphabet: version, fields, and the first 128 bits of HMAC-SHA-256 over both. A key object is made once; bytes would be
 * made into one at every call, which takes longer than the rest.
 */
export function encodeReceiptHandle(handle: ReceiptHandle, key: KeyObject): string {
  const writer = new FieldWriter(192)
    .varint(VERSION)
    .text(1, handle.set)
    .text(2, handle.group)
    .text(3, handle.topic)
    .number(4, handle.queueId)
    .number(5, handle.queueOffset)
    .number(6, handle.stamp.logEpoch)
    .number(7, handle.stamp.physicalOffset)
    .number(8, handle.attempt)
    .number(9, handle.deliveredAt)
    .number(10, handle.invisibleMs)
    .number(11, handle.servingEpoch)
  if (handle.realTopic !== undefined) writer.text(12, handle.realTopic)
  const payload = writer.finish()
  return Buffer.concat([payload, macOf(payload, key)]).toString('base64url')
}

/** Throws `RECEIPT_HANDLE_INVALID` if it is not one of ours, was altered, or was made with another key. */
export function openReceiptHandle(text: string, key: KeyObject): ReceiptHandle {
  const { payload, mac } = split(text)
  if (!timingSafeEqual(mac, macOf(payload, key))) throw invalid('it was not made by this broker set')
  return fieldsOf(payload)
}

/** Throws `RECEIPT_HANDLE_INVALID` if it has not the shape of ours. The MAC is not checked. */
export function routeOfReceiptHandle(text: string): ReceiptRoute {
  const { set, group, topic } = fieldsOf(split(text).payload)
  return { set, group, topic }
}

function split(text: string): { payload: Buffer; mac: Buffer } {
  if (text.length > MAX_TEXT || !/^[\w-]+$/.test(text)) throw invalid('it is not one of ours')
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length <= MAC_BYTES) throw invalid('it is too short')
  const end = bytes.length - MAC_BYTES
  return { payload: bytes.subarray(0, end), mac: bytes.subarray(end) }
}

function fieldsOf(payload: Buffer): ReceiptHandle {
  const texts = new Map<number, string>()
  const numbers = new Map<number, number>()
  try {
    const reader = new FieldReader(payload, 'receipt handle')
    if (reader.varint() !== VERSION) throw invalid('it is of another version')
    while (reader.next()) {
      if (reader.tag <= 3 || reader.tag === 12) texts.set(reader.tag, reader.text())
      else if (reader.tag <= 11) numbers.set(reader.tag, reader.number())
    }
  } catch (cause) {
    throw cause instanceof BrokerError && cause.code === 'RECEIPT_HANDLE_INVALID'
      ? cause
      : invalid('it cannot be read', cause)
  }
  const text = (tag: number): string => present(texts.get(tag))
  const number = (tag: number): number => present(numbers.get(tag))
  const realTopic = texts.get(12)
  return {
    set: text(1),
    group: text(2),
    topic: text(3),
    queueId: number(4),
    queueOffset: number(5),
    stamp: { logEpoch: number(6), physicalOffset: number(7) },
    attempt: number(8),
    deliveredAt: number(9),
    invisibleMs: number(10),
    servingEpoch: number(11),
    ...(realTopic === undefined ? {} : { realTopic }),
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw invalid('a field is missing')
  return value
}

function macOf(payload: Buffer, key: KeyObject): Buffer {
  return createHmac('sha256', key).update('receipt handle').update(payload).digest().subarray(0, MAC_BYTES)
}

function invalid(why: string, cause?: unknown): BrokerError {
  return new BrokerError('RECEIPT_HANDLE_INVALID', `the receipt handle cannot be used: ${why}`, { cause })
}
