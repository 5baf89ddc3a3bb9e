import { BrokerError } from '@tandemmq/base'
import type { JsonKey, JsonObject, JsonValue } from '@tandemmq/codec'
import { attributesFrom, booleanOf, integerOf, textOf } from './json-fields.ts'
import { checkedTopicName } from './checked-names.ts'

export type TopicType = 'NORMAL' | 'FIFO' | 'DELAY' | 'TRANSACTION' | 'MIXED'

/** One topic, as `topics.json` of Apache RocketMQ describes it. */
export interface TopicConfig {
  readonly name: string
  /** Queues that consumers see; 1…65536. */
  readonly readQueues: number
  /** Queues that producers choose from; 1…65536. */
  readonly writeQueues: number
  /** Bits: 4 = readable, 2 = writable, 1 = inherited. */
  readonly perm: number
  readonly order: boolean
  /** Apache's attribute `message.type`. */
  readonly type: TopicType
  readonly filterType: string
  readonly sysFlag: number
  readonly attributes: ReadonlyMap<string, string>
  /** Fields that a newer Apache wrote and we do not know; kept and written back. */
  readonly extra: JsonObject
}

const TYPES: readonly TopicType[] = ['NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'MIXED']
const TYPE_ATTRIBUTE = 'message.type'
const QUEUES_MAX = 65_536
const KNOWN_FIELDS: ReadonlySet<JsonKey> = new Set([
  'attributes',
  'order',
  'perm',
  'readQueueNums',
  'topicFilterType',
  'topicName',
  'topicSysFlag',
  'writeQueueNums',
])

/** Fills in Apache's defaults (4 queues, perm 6). Throws `ILLEGAL_ARGUMENT` for a bad name, queue number or perm. */
export function topicConfig(fields: Partial<TopicConfig> & { readonly name: string }): TopicConfig {
  const attributes = new Map(fields.attributes)
  if (fields.type !== undefined && fields.type !== typeIn(attributes))
    attributes.set(TYPE_ATTRIBUTE, fields.type)
  const topic: TopicConfig = {
    name: checkedTopicName(fields.name),
    readQueues: fields.readQueues ?? 4,
    writeQueues: fields.writeQueues ?? fields.readQueues ?? 4,
    perm: fields.perm ?? 6,
    order: fields.order ?? false,
    type: typeIn(attributes),
    filterType: fields.filterType ?? 'SINGLE_TAG',
    sysFlag: fields.sysFlag ?? 0,
    attributes,
    extra: fields.extra ?? new Map(),
  }
  checkRange(topic, 'readQueues', topic.readQueues, 0, QUEUES_MAX)
  checkRange(topic, 'writeQueues', topic.writeQueues, 0, QUEUES_MAX)
  checkRange(topic, 'perm', topic.perm, 0, 15)
  return topic
}

/** In Apache's field order. */
export function topicToJson(topic: TopicConfig): JsonObject {
  return new Map<JsonKey, JsonValue>([
    ['attributes', new Map(topic.attributes)],
    ['order', topic.order],
    ['perm', topic.perm],
    ['readQueueNums', topic.readQueues],
    ['topicFilterType', topic.filterType],
    ['topicName', topic.name],
    ['topicSysFlag', topic.sysFlag],
    ['writeQueueNums', topic.writeQueues],
    ...topic.extra,
  ])
}

/** Throws `CONFIG_INVALID` or `ILLEGAL_ARGUMENT`. */
export function topicFromJson(json: JsonObject): TopicConfig {
  return topicConfig({
    name: textOf(json, 'topicName'),
    readQueues: integerOf(json, 'readQueueNums', 16),
    writeQueues: integerOf(json, 'writeQueueNums', 16),
    perm: integerOf(json, 'perm', 6),
    order: booleanOf(json, 'order', false),
    filterType: textOf(json, 'topicFilterType', 'SINGLE_TAG'),
    sysFlag: integerOf(json, 'topicSysFlag', 0),
    attributes: attributesFrom(json),
    extra: new Map([...json].filter(([key]) => !KNOWN_FIELDS.has(key))),
  })
}

function typeIn(attributes: ReadonlyMap<string, string>): TopicType {
  const named = attributes.get(TYPE_ATTRIBUTE)
  return TYPES.find((type) => type === named) ?? 'NORMAL'
}

function checkRange(topic: TopicConfig, what: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new BrokerError(
    'ILLEGAL_ARGUMENT',
    `${what} of topic ${topic.name} is ${value}, allowed is ${min}-${max}`,
  )
}
