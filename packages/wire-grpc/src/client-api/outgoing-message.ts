import type { Host } from '@tandemmq/codec'
import type { MessageType, OutgoingMessage } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { durationMs } from './duration-ms.ts'
import { isReservedProperty } from './reserved-properties.ts'
import { topicName } from './resource-names.ts'
import { StatusError } from './status-error.ts'

const { Code, Encoding, MessageType: WireType } = rocketmq

/** What Apache's proxy allows; the body as received, that is compressed. */
const BODY_BYTES_MAX = 4 * 1024 * 1024
const USER_PROPERTIES_MAX = 128
const USER_PROPERTIES_BYTES_MAX = 16 * 1024
const MESSAGE_GROUP_BYTES_MAX = 64
const DELAY_MAX_MS = 24 * 3600 * 1000
const RECOVERY_MAX_MS = 3600 * 1000

/** Checks a published message in the order of Apache's proxy and with its words, and translates it. Throws `StatusError`. */
export function outgoingMessage(message: rocketmq.Message, now: number, peer: Host): OutgoingMessage {
  const topic = topicName(message.topic)
  const system = message.systemProperties ?? rocketmq.SystemProperties.create()
  const { tag, keys, messageGroup, messageId, traceContext } = system
  const deliveryTimestamp = system.deliveryTimestamp?.getTime()
  checkUserProperties(message, system)
  if (tag) checkTag(tag)
  for (const key of keys) checkKey(key)
  if (messageGroup) checkMessageGroup(messageGroup)
  if (messageId.trim() === '') throw new StatusError(Code.ILLEGAL_MESSAGE_ID, 'message id cannot be empty')
  checkBody(message.body.length)
  if (deliveryTimestamp !== undefined) checkDeliveryTime(deliveryTimestamp, now)
  checkRecovery(system)
  return {
    topic,
    messageId,
    type: messageType(system),
    body: bufferOf(message.body),
    ...(tag ? { tag } : {}),
    keys,
    userProperties: message.userProperties,
    ...(messageGroup ? { messageGroup } : {}),
    ...(deliveryTimestamp === undefined ? {} : { deliveryTimestamp }),
    bornTimestamp: bornAt(system, now),
    bornHost: system.bornHost === '' ? peer : { ip: system.bornHost, port: 0 },
    compressed: system.bodyEncoding === Encoding.GZIP,
    ...(traceContext ? { traceContext } : {}),
  }
}

/** What a client says of its own clock is kept as it is; a time that no clock shows is none. */
function bornAt({ bornTimestamp }: rocketmq.SystemProperties, now: number): number {
  const at = bornTimestamp?.getTime()
  return at === undefined || Number.isNaN(at) ? now : at
}

/** The type follows from the content, not from what the client calls it; only TRANSACTION is believed. */
function messageType(system: rocketmq.SystemProperties): MessageType {
  if (system.messageType === WireType.TRANSACTION) return 'TRANSACTION'
  if (system.deliveryTimestamp !== undefined) return 'DELAY'
  return system.messageGroup ? 'FIFO' : 'NORMAL'
}

function checkUserProperties(message: rocketmq.Message, { tag, keys }: rocketmq.SystemProperties): void {
  const properties = message.userProperties
  if (properties.size > USER_PROPERTIES_MAX) {
    throw new StatusError(
      Code.MESSAGE_PROPERTIES_TOO_LARGE,
      `too many user properties, max is ${USER_PROPERTIES_MAX}`,
    )
  }
  let bytes = Buffer.byteLength(tag ?? '')
  for (const key of keys) bytes += Buffer.byteLength(key)
  for (const [name, value] of properties) {
    const refuse = (why: string): StatusError => new StatusError(Code.ILLEGAL_MESSAGE_PROPERTY_KEY, why)
    if (isReservedProperty(name)) throw refuse(`property is used by system: ${name}`)
    if (name === '') throw refuse('the key of property cannot be empty')
    if (hasControl(name)) throw refuse('the key of property cannot contain control character')
    if (hasControl(value)) throw refuse('the value of property cannot contain control character')
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  }
  if (bytes > USER_PROPERTIES_BYTES_MAX) {
    throw new StatusError(
      Code.MESSAGE_PROPERTIES_TOO_LARGE,
      `the total size of user property is too large, max is ${USER_PROPERTIES_BYTES_MAX}`,
    )
  }
}

function checkTag(tag: string): void {
  if (tag.trim() === '') throw illegalTag('tag cannot be the char sequence of whitespace')
  if (tag.includes('|')) throw illegalTag("tag cannot contain '|'")
  if (hasControl(tag)) throw illegalTag('tag cannot contain control character')
}

function checkKey(key: string): void {
  if (key.trim() === '') throw illegalKey('key cannot be the char sequence of whitespace')
  if (hasControl(key)) throw illegalKey('key cannot contain control character')
}

function checkMessageGroup(group: string): void {
  if (group.trim() === '') throw illegalGroup('message group cannot be the char sequence of whitespace')
  if (Buffer.byteLength(group) >= MESSAGE_GROUP_BYTES_MAX) {
    throw illegalGroup(`message group exceed the max size ${MESSAGE_GROUP_BYTES_MAX}`)
  }
  if (hasControl(group)) throw illegalGroup('message group cannot contain control character')
}

function checkBody(bytes: number): void {
  if (bytes === 0) throw new StatusError(Code.MESSAGE_BODY_EMPTY, 'message body cannot be empty')
  if (bytes > BODY_BYTES_MAX) {
    throw new StatusError(Code.MESSAGE_BODY_TOO_LARGE, `message body cannot exceed the max ${BODY_BYTES_MAX}`)
  }
}

/** A time in the past is fine: delivered at once. */
function checkDeliveryTime(at: number, now: number): void {
  if (at - now <= DELAY_MAX_MS) return
  throw new StatusError(
    Code.ILLEGAL_DELIVERY_TIME,
    `the max delay time of message is too large, max is ${DELAY_MAX_MS}`,
  )
}

function checkRecovery({ orphanedTransactionRecoveryDuration }: rocketmq.SystemProperties): void {
  if (durationMs(orphanedTransactionRecoveryDuration) <= RECOVERY_MAX_MS) return
  throw new StatusError(
    Code.BAD_REQUEST,
    `the max transaction recovery time is ${RECOVERY_MAX_MS / 1000} seconds`,
  )
}

/** Java's Character.isISOControl. */
function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true
  }
  return false
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function illegalTag(why: string): StatusError {
  return new StatusError(Code.ILLEGAL_MESSAGE_TAG, why)
}

function illegalKey(why: string): StatusError {
  return new StatusError(Code.ILLEGAL_MESSAGE_KEY, why)
}

function illegalGroup(why: string): StatusError {
  return new StatusError(Code.ILLEGAL_MESSAGE_GROUP, why)
}
