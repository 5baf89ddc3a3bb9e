import { BrokerError } from '@tandemmq/base'
import type { MessageType, OutgoingMessage } from './api.ts'
import { isWritable, type TopicType, type TopicView } from './catalog.ts'

/** Which rule an `OutgoingMessage` broke: fact `rule` of the `MESSAGE_ILLEGAL` that refuses it. */
export type MessageRule =
  | 'message-id'
  | 'body-empty'
  | 'body-size'
  | 'tag'
  | 'keys'
  | 'message-group'
  | 'property'
  | 'properties-size'
  | 'delivery-time'
  | 'message-type'

export interface OutgoingLimits {
  /** Bytes, as received (RocketMQ `maxMessageSize`). */
  readonly bodyBytesMax: number
  /** How far ahead a delivery may be scheduled, ms (RocketMQ `timerMaxDelaySec`). */
  readonly delayMaxMs: number
}

/** Apache's defaults: 4 MiB, 3 days. */
export const defaultLimits: OutgoingLimits = { bodyBytesMax: 4 * 1024 * 1024, delayMaxMs: 259_200_000 }

/** Apache's proxy: entries, and bytes of names, values, tag and keys together. */
const USER_PROPERTIES_MAX = 128
const USER_PROPERTIES_BYTES_MAX = 16 * 1024
const MESSAGE_GROUP_BYTES_MAX = 63

/** Throws `MESSAGE_ILLEGAL` with fact `rule` (a {@link MessageRule}), or `NOT_WRITABLE` with fact `topic`. */
export function checkOutgoing(
  message: OutgoingMessage,
  topic: TopicView,
  limits: OutgoingLimits,
  now: number,
): void {
  if (!isWritable(topic)) {
    throw new BrokerError('NOT_WRITABLE', `the topic ${topic.name} has no writable queue`, {
      facts: { topic: topic.name },
    })
  }
  if (!accepts(topic.type, message.type)) {
    throw illegal('message-type', `the topic ${topic.name} takes ${topic.type} messages, not ${message.type}`)
  }
  if (blank(message.messageId)) throw illegal('message-id', 'the message has no id')
  if (hasControl(message.messageId))
    throw illegal('message-id', 'the message id contains a control character')
  if (message.body.length === 0) throw illegal('body-empty', 'the body is empty')
  if (message.body.length > limits.bodyBytesMax) {
    throw illegal(
      'body-size',
      `the body has ${message.body.length} bytes; at most ${limits.bodyBytesMax} are allowed`,
    )
  }
  checkTexts(message)
  checkUserProperties(message)
  if (message.deliveryTimestamp !== undefined) checkDeliveryTime(message.deliveryTimestamp, now, limits)
}

/** Whether the text would break the raw properties of a record. */
export function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true
  }
  return false
}

function accepts(topic: TopicType, message: MessageType): boolean {
  return topic === 'MIXED' || topic === message
}

function checkTexts({ tag, keys, messageGroup, traceContext }: OutgoingMessage): void {
  if (tag !== undefined && (blank(tag) || tag.includes('|') || hasControl(tag))) {
    throw illegal('tag', 'a tag is not blank and contains neither | nor a control character')
  }
  for (const key of keys) {
    if (blank(key) || hasControl(key))
      throw illegal('keys', 'a key is not blank and contains no control character')
  }
  if (messageGroup !== undefined) {
    const bytes = Buffer.byteLength(messageGroup)
    if (blank(messageGroup) || bytes > MESSAGE_GROUP_BYTES_MAX || hasControl(messageGroup)) {
      throw illegal('message-group', 'a message group has 1 to 63 bytes and no control character')
    }
  }
  if (traceContext !== undefined && hasControl(traceContext)) {
    throw illegal('property', 'the trace context contains a control character')
  }
}

function checkUserProperties({ userProperties, tag, keys }: OutgoingMessage): void {
  if (userProperties.size > USER_PROPERTIES_MAX) {
    throw illegal(
      'properties-size',
      `${userProperties.size} properties; at most ${USER_PROPERTIES_MAX} are allowed`,
    )
  }
  let bytes = tag === undefined ? 0 : Buffer.byteLength(tag)
  for (const key of keys) bytes += Buffer.byteLength(key)
  for (const [name, value] of userProperties) {
    if (name === '' || hasControl(name) || hasControl(value)) {
      throw illegal('property', 'a property has a name, and no control character in name or value')
    }
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  }
  if (bytes > USER_PROPERTIES_BYTES_MAX) {
    throw illegal(
      'properties-size',
      `${bytes} bytes of properties; at most ${USER_PROPERTIES_BYTES_MAX} are allowed`,
    )
  }
}

function checkDeliveryTime(at: number, now: number, limits: OutgoingLimits): void {
  if (Number.isSafeInteger(at) && at >= 0 && at - now <= limits.delayMaxMs) return
  throw illegal('delivery-time', `the delivery time is more than ${limits.delayMaxMs} ms ahead, or no time`)
}

function blank(text: string): boolean {
  return text.trim() === ''
}

function illegal(rule: MessageRule, message: string): BrokerError {
  return new BrokerError('MESSAGE_ILLEGAL', message, { facts: { rule } })
}
