import { BrokerError } from '@tandemmq/base'
import {
  groupConfig,
  topicConfig,
  type GroupConfig,
  type TopicConfig,
  type TopicType,
} from '@tandemmq/metadata'
import type { metadata as wire } from '@tandemmq/rpc'
import type { GroupWish, TopicWish } from './metadata-admin.ts'

const TYPES: readonly TopicType[] = ['NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'MIXED']

export function topicToWire(topic: TopicWish): wire.PutTopicRequest {
  return {
    name: topic.name,
    readQueues: topic.readQueues ?? 0,
    writeQueues: topic.writeQueues ?? 0,
    perm: topic.perm ?? 0,
    type: topic.type ?? '',
    order: topic.order ?? false,
    attributes: new Map(topic.attributes),
  }
}

/** Zero and empty stand for the default. Throws `ILLEGAL_ARGUMENT`. */
export function topicFromWire(request: wire.PutTopicRequest): TopicConfig {
  const { name, readQueues, writeQueues, perm, order, attributes } = request
  return topicConfig({
    name,
    ...(readQueues !== 0 && { readQueues }),
    ...(writeQueues !== 0 && { writeQueues }),
    ...(perm !== 0 && { perm }),
    ...(request.type !== '' && { type: typeOf(request.type) }),
    order,
    attributes,
  })
}

export function groupToWire({
  name,
  consumeEnabled,
  orderly,
  retryMaxTimes,
  retryQueues,
}: GroupWish): wire.PutGroupRequest {
  return { name, consumeEnabled, orderly, retryMaxTimes, retryQueues }
}

/** Throws `ILLEGAL_ARGUMENT`. */
export function groupFromWire(request: wire.PutGroupRequest): GroupConfig {
  const { name, consumeEnabled, orderly, retryMaxTimes, retryQueues } = request
  return groupConfig({
    name,
    ...(consumeEnabled !== undefined && { consumeEnabled }),
    ...(orderly !== undefined && { orderly }),
    ...(retryMaxTimes !== undefined && { retryMaxTimes }),
    ...(retryQueues !== undefined && { retryQueues }),
  })
}

function typeOf(word: string): TopicType {
  const type = TYPES.find((known) => known === word)
  if (type) return type
  throw new BrokerError(
    'ILLEGAL_ARGUMENT',
    `'${word.slice(0, 40)}' is no type of a topic: ${TYPES.join(', ')}`,
  )
}
