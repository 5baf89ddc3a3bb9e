import type { QueueOffset } from '@tandemmq/base'
import { propertyOf } from '@tandemmq/codec'
import { canBeQueued, isTopicName } from './topic-name.ts'

/**
 * Light message queues (RocketMQ LMQ): a message names queues besides its own in a property, and the broker writes beside it which place it has in each. Each
 * is queue 0 of a topic of that name; its units lead to the same record.
 */
const NAMES = 'INNER_MULTI_DISPATCH'
const OFFSETS = 'INNER_MULTI_QUEUE_OFFSET'
const PREFIX = '%LMQ%'

/** Light queues a store builds; each is two directories and a file (Apache: maxLmqConsumeQueueNum). */
export const LIGHT_QUEUES_MAX = 20_000

/** The place of a message in a light queue. */
export interface LightPlace {
  readonly topic: string
  readonly queueId: 0
  readonly queueOffset: QueueOffset
}

export function isLightQueue(topic: string): boolean {
  return topic.startsWith(PREFIX)
}

/** False: `lightPlacesOf` finds none, whatever the topic. Every record passes here, hardly any has places. */
export function mayHaveLightPlaces(properties: string): boolean {
  return properties.includes(OFFSETS)
}

/** The places that a record says it has. Names that can be no light queue are passed over. */
export function lightPlacesOf(topic: string, properties: string): readonly LightPlace[] {
  if (!mayHaveLightPlaces(properties) || !mayBeIn(topic)) return none
  const names = propertyOf(properties, NAMES)?.split(',') ?? []
  const offsets = propertyOf(properties, OFFSETS)?.split(',') ?? []
  if (names.length !== offsets.length) return none
  const places: LightPlace[] = []
  for (const [index, name] of names.entries()) {
    const offset = offsets[index] ?? ''
    const place = { topic: name, queueId: 0 as const, queueOffset: Number(offset) }
    if (/^\d{1,15}$/.test(offset) && isLightQueue(name) && canBeQueued(place)) places.push(place)
  }
  return places
}

/**
 * The light queues that a message asks for; `undefined` if it asks for one that cannot be. `properties` of a topic that takes no part ask for none.
 */
export function lightNamesIn(topic: string, properties: string): readonly string[] | undefined {
  const list = mayBeIn(topic) ? propertyOf(properties, NAMES) : undefined
  if (list === undefined || list.trim() === '') return []
  const names = list.split(',')
  const isPossible = names.every((name) => isLightQueue(name) && isTopicName(name))
  return isPossible && new Set(names).size === names.length ? names : undefined
}

/** Only the broker says which places a message has. */
export function withoutLightOffsets(properties: string): string {
  if (!properties.includes(OFFSETS)) return properties
  return properties
    .split('\u0002')
    .filter((pair) => !pair.startsWith(`${OFFSETS}\u0001`))
    .join('\u0002')
}

export function withLightOffsets(properties: string, offsets: readonly QueueOffset[]): string {
  const open = properties === '' || properties.endsWith('\u0002') ? '' : '\u0002'
  return `${properties}${open}${OFFSETS}\u0001${offsets.join()}\u0002`
}

/** Topics whose messages come back as others take no part (RocketMQ CommitLogDispatcherBuildConsumeQueue). */
function mayBeIn(topic: string): boolean {
  return !topic.startsWith('%RETRY%') && !topic.startsWith('rmq_sys_') && topic !== 'SCHEDULE_TOPIC_XXXX'
}

const none: readonly LightPlace[] = []
