import { BrokerError } from '@tandemmq/base'

/** Apache's alphabet (TopicValidator). It has no `/`, no `.` and no control character, so a name is safe as a file name. */
const ALPHABET = /^[%|a-zA-Z0-9_-]+$/
const TOPIC_MAX = 127
/** `%RETRY%group_topic` and `%DLQ%group` hold a group and perhaps a topic. */
const DERIVED_TOPIC_MAX = 255
const GROUP_MAX = 120

export function isTopicName(name: string): boolean {
  const isDerived = name.startsWith('%RETRY%') || name.startsWith('%DLQ%')
  return name.length <= (isDerived ? DERIVED_TOPIC_MAX : TOPIC_MAX) && ALPHABET.test(name)
}

function isGroupName(name: string): boolean {
  return name.length <= GROUP_MAX && ALPHABET.test(name)
}

/** Returns `name`. Throws `ILLEGAL_ARGUMENT` unless it is 1-127 characters (255 for retry and dead-letter topics) of `%|a-zA-Z0-9_-`. */
export function checkedTopicName(name: string): string {
  if (isTopicName(name)) return name
  throw new BrokerError('ILLEGAL_ARGUMENT', `${quoted(name)} is no topic name: 1-127 of % | a-z A-Z 0-9 _ -`)
}

/** Returns `name`. Throws `ILLEGAL_ARGUMENT` unless it is 1-120 characters of `%|a-zA-Z0-9_-`. */
export function checkedGroupName(name: string): string {
  if (isGroupName(name)) return name
  throw new BrokerError('ILLEGAL_ARGUMENT', `${quoted(name)} is no group name: 1-120 of % | a-z A-Z 0-9 _ -`)
}

/** Hostile names reach logs and answers: shortened, and without control characters. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name)
}
