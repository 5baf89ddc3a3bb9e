import { BrokerError, checkedOffset, type Logger, type QueueOffset } from '@tandemmq/base'
import { type JsonKey, type JsonObject, type JsonValue } from '@tandemmq/codec'
import type { QueueKey } from './change.ts'
import { documentFrom, documentToJson, type ConfigDocument } from './config-document.ts'
import { TIMER_TOPIC } from './delay-progress.ts'
import { groupFromJson, groupToJson, type GroupConfig } from './group-config.ts'
import { integerOf } from './json-fields.ts'
import type { MetadataState } from './metadata-state.ts'
import { checkedGroupName, checkedTopicName } from './checked-names.ts'
import { topicFromJson, topicToJson, type TopicConfig } from './topic-config.ts'

/** Between Apache's config files and our tables. `read` hands out what is in a file, `write` makes its content. */
export const topicsMapping = {
  file: 'topics.json',
  read(json: JsonObject, logger: Logger, found: (topic: TopicConfig) => void): ConfigDocument {
    return documentFrom(json, 'topicConfigTable', [], logger, (key, value) => {
      const topic = topicFromJson(value)
      checkKey(key, topic.name)
      found(topic)
    })
  },
  write(state: MetadataState, document: ConfigDocument): JsonObject {
    const table = new Map<JsonKey, JsonValue>(document.foreign)
    for (const topic of state.topics.values()) table.set(topic.name, topicToJson(topic))
    return documentToJson(document, new Map([['topicConfigTable', table]]))
  },
}

export const groupsMapping = {
  file: 'subscriptionGroup.json',
  read(json: JsonObject, logger: Logger, found: (group: GroupConfig) => void): ConfigDocument {
    return documentFrom(json, 'subscriptionGroupTable', [], logger, (key, value) => {
      const group = groupFromJson(value)
      checkKey(key, group.name)
      found(group)
    })
  },
  write(state: MetadataState, document: ConfigDocument): JsonObject {
    const table = new Map<JsonKey, JsonValue>(document.foreign)
    for (const group of state.groups.values()) table.set(group.name, groupToJson(group))
    const forbidden = document.rest.get('forbiddenTable') ?? new Map()
    return documentToJson(
      document,
      new Map<JsonKey, JsonValue>([
        ['forbiddenTable', forbidden],
        ['subscriptionGroupTable', table],
      ]),
    )
  },
}

/** `consumerOffset.json`: first unacknowledged queue offset by `topic@group` and queue. */
export const progressMapping = {
  file: 'consumerOffset.json',
  read(json: JsonObject, logger: Logger, found: (key: QueueKey, floor: QueueOffset) => void): ConfigDocument {
    return documentFrom(json, 'offsetTable', ['groupTopicMap'], logger, (key, value) => {
      const { topic, group } = topicAndGroup(key)
      const floors = [...value.keys()].map((queue) => [queueOf(queue), offsetIn(value, queue)] as const)
      for (const [queueId, floor] of floors) found({ group, topic, queueId }, floor)
    })
  },
  write(state: MetadataState, document: ConfigDocument): JsonObject {
    const offsets = new Map<string, Map<JsonKey, JsonValue>>()
    const topics = new Map<string, Set<string>>()
    for (const queue of state.progress.all()) {
      if (queue.topic === TIMER_TOPIC) continue // No topic of consumers.
      const key = `${queue.topic}@${queue.group}`
      offsets.set(key, (offsets.get(key) ?? new Map<JsonKey, JsonValue>()).set(queue.queueId, queue.floor))
      topics.set(queue.group, (topics.get(queue.group) ?? new Set<string>()).add(queue.topic))
    }
    return documentToJson(
      document,
      new Map<JsonKey, JsonValue>([
        ['groupTopicMap', new Map([...topics].map(([group, names]) => [group, [...names]]))],
        ['offsetTable', new Map<JsonKey, JsonValue>([...document.foreign, ...offsets])],
      ]),
    )
  },
}

/** `delayOffset.json`: next queue offset by delay level; level 0, which Apache does not have, is the timer queue. */
export const delayMapping = {
  file: 'delayOffset.json',
  read(
    json: JsonObject,
    logger: Logger,
    found: (level: number, offset: QueueOffset) => void,
  ): ConfigDocument {
    // One flat table: read as the only entry of a table of tables.
    const tables = new Map<JsonKey, JsonValue>([[0, json.get('offsetTable') ?? new Map()]])
    const wrapped = new Map<JsonKey, JsonValue>([...json, ['offsetTable', tables]])
    return documentFrom(wrapped, 'offsetTable', [], logger, (_, levels) => {
      for (const level of levels.keys()) found(queueOf(level), offsetIn(levels, level))
    })
  },
  write(state: MetadataState, document: ConfigDocument): JsonObject {
    const levels = new Map<JsonKey, JsonValue>([...state.delay.levels].toSorted(([a], [b]) => a - b))
    return documentToJson(
      document,
      new Map([['offsetTable', new Map<JsonKey, JsonValue>([[0, state.delay.floor], ...levels])]]),
    )
  },
}

function checkKey(key: JsonKey, name: string): void {
  if (String(key) === name) return
  throw new BrokerError(
    'CONFIG_INVALID',
    `an entry is filed under another name than its own, which is ${name}`,
  )
}

function topicAndGroup(key: JsonKey): { topic: string; group: string } {
  const [topic, group, ...more] = String(key).split('@')
  if (more.length > 0) throw new BrokerError('CONFIG_INVALID', `${JSON.stringify(key)} is not topic@group`)
  return { topic: checkedTopicName(topic ?? ''), group: checkedGroupName(group ?? '') }
}

/** Strict writers put integer keys in quotes. */
function queueOf(key: JsonKey): number {
  return checkedOffset(key === '' ? Number.NaN : Number(key), 'a queue')
}

function offsetIn(json: JsonObject, key: JsonKey): QueueOffset {
  return checkedOffset(integerOf(json, key, 0), 'an offset')
}
