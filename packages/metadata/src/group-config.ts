import { BrokerError } from '@tandemmq/base'
import { isJsonObject, type JsonKey, type JsonObject, type JsonValue } from '@tandemmq/codec'
import { attributesFrom, booleanOf, integerOf, textOf } from './json-fields.ts'
import { checkedGroupName } from './checked-names.ts'

/** One subscription group, as `subscriptionGroup.json` of Apache RocketMQ describes it. */
export interface GroupConfig {
  readonly name: string
  readonly consumeEnabled: boolean
  readonly consumeFromMinEnabled: boolean
  readonly broadcastEnabled: boolean
  /** The queues of an orderly group are delivered one batch at a time. */
  readonly orderly: boolean
  /** Deliveries after the first one before a message goes to the dead-letter topic. */
  readonly retryMaxTimes: number
  readonly retryQueues: number
  /** Apache's retry policy as it stands in the file. */
  readonly retryPolicy: JsonObject
  readonly consumeTimeoutMinutes: number
  readonly notifyOnChange: boolean
  readonly brokerId: number
  readonly brokerIdWhenSlow: number
  readonly sysFlag: number
  readonly attributes: ReadonlyMap<string, string>
  /** Fields that a newer Apache wrote and we do not know; kept and written back. */
  readonly extra: JsonObject
}

const KNOWN_FIELDS: ReadonlySet<JsonKey> = new Set([
  'attributes',
  'brokerId',
  'consumeBroadcastEnable',
  'consumeEnable',
  'consumeFromMinEnable',
  'consumeMessageOrderly',
  'consumeTimeoutMinute',
  'groupName',
  'groupRetryPolicy',
  'groupSysFlag',
  'notifyConsumerIdsChangedEnable',
  'retryMaxTimes',
  'retryQueueNums',
  'whichBrokerWhenConsumeSlowly',
])

/** Fills in Apache's defaults. Throws `ILLEGAL_ARGUMENT` for a bad name or a negative retry number. */
export function groupConfig(fields: Partial<GroupConfig> & { readonly name: string }): GroupConfig {
  const group: GroupConfig = {
    name: checkedGroupName(fields.name),
    consumeEnabled: fields.consumeEnabled ?? true,
    consumeFromMinEnabled: fields.consumeFromMinEnabled ?? true,
    broadcastEnabled: fields.broadcastEnabled ?? true,
    orderly: fields.orderly ?? false,
    retryMaxTimes: fields.retryMaxTimes ?? 16,
    retryQueues: fields.retryQueues ?? 1,
    retryPolicy: fields.retryPolicy ?? new Map([['type', 'CUSTOMIZED']]),
    consumeTimeoutMinutes: fields.consumeTimeoutMinutes ?? 15,
    notifyOnChange: fields.notifyOnChange ?? true,
    brokerId: fields.brokerId ?? 0,
    brokerIdWhenSlow: fields.brokerIdWhenSlow ?? 1,
    sysFlag: fields.sysFlag ?? 0,
    attributes: new Map(fields.attributes),
    extra: fields.extra ?? new Map(),
  }
  if (!Number.isInteger(group.retryMaxTimes) || group.retryMaxTimes < -1) {
    throw new BrokerError(
      'ILLEGAL_ARGUMENT',
      `retryMaxTimes of group ${group.name} is ${group.retryMaxTimes}`,
    )
  }
  return group
}

/** In Apache's field order. */
export function groupToJson(group: GroupConfig): JsonObject {
  return new Map<JsonKey, JsonValue>([
    ['attributes', new Map(group.attributes)],
    ['brokerId', group.brokerId],
    ['consumeBroadcastEnable', group.broadcastEnabled],
    ['consumeEnable', group.consumeEnabled],
    ['consumeFromMinEnable', group.consumeFromMinEnabled],
    ['consumeMessageOrderly', group.orderly],
    ['consumeTimeoutMinute', group.consumeTimeoutMinutes],
    ['groupName', group.name],
    ['groupRetryPolicy', group.retryPolicy],
    ['groupSysFlag', group.sysFlag],
    ['notifyConsumerIdsChangedEnable', group.notifyOnChange],
    ['retryMaxTimes', group.retryMaxTimes],
    ['retryQueueNums', group.retryQueues],
    ['whichBrokerWhenConsumeSlowly', group.brokerIdWhenSlow],
    ...group.extra,
  ])
}

/** Throws `CONFIG_INVALID` or `ILLEGAL_ARGUMENT`. */
export function groupFromJson(json: JsonObject): GroupConfig {
  const policy = json.get('groupRetryPolicy')
  return groupConfig({
    name: textOf(json, 'groupName'),
    consumeEnabled: booleanOf(json, 'consumeEnable', true),
    consumeFromMinEnabled: booleanOf(json, 'consumeFromMinEnable', true),
    broadcastEnabled: booleanOf(json, 'consumeBroadcastEnable', true),
    orderly: booleanOf(json, 'consumeMessageOrderly', false),
    retryMaxTimes: integerOf(json, 'retryMaxTimes', 16),
    retryQueues: integerOf(json, 'retryQueueNums', 1),
    ...(isJsonObject(policy) ? { retryPolicy: policy } : {}),
    consumeTimeoutMinutes: integerOf(json, 'consumeTimeoutMinute', 15),
    notifyOnChange: booleanOf(json, 'notifyConsumerIdsChangedEnable', true),
    brokerId: integerOf(json, 'brokerId', 0),
    brokerIdWhenSlow: integerOf(json, 'whichBrokerWhenConsumeSlowly', 1),
    sysFlag: integerOf(json, 'groupSysFlag', 0),
    attributes: attributesFrom(json),
    extra: new Map([...json].filter(([key]) => !KNOWN_FIELDS.has(key))),
  })
}
