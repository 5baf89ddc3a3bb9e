import { rocketmq } from '@tandemmq/rpc'
import { StatusError } from './status-error.ts'

const { Code } = rocketmq

const ALPHABET = /^[%|a-zA-Z0-9_-]+$/
const TOPIC_MAX = 127
const GROUP_MAX = 120

/** Topics that Apache's broker keeps for itself (TopicValidator). */
const SYSTEM_TOPICS: ReadonlySet<string> = new Set([
  'TBW102',
  'SCHEDULE_TOPIC_XXXX',
  'BenchmarkTest',
  'RMQ_SYS_TRANS_HALF_TOPIC',
  'RMQ_SYS_TRACE_TOPIC',
  'RMQ_SYS_TRANS_OP_HALF_TOPIC',
  'TRANS_CHECK_MAX_TIME_TOPIC',
  'SELF_TEST_TOPIC',
  'OFFSET_MOVED_EVENT',
])
const SYSTEM_TOPIC_PREFIX = 'rmq_sys_'

/** Groups that Apache's broker keeps for itself (MixAll). */
const SYSTEM_GROUPS: ReadonlySet<string> = new Set([
  'DEFAULT_CONSUMER',
  'DEFAULT_PRODUCER',
  'TOOLS_CONSUMER',
  'SCHEDULE_CONSUMER',
  'FILTERSRV_CONSUMER',
  '__MONITOR_CONSUMER',
  'CLIENT_INNER_PRODUCER',
  'SELF_TEST_P_GROUP',
  'SELF_TEST_C_GROUP',
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_OWNER',
  'CID_ONSAPI_PULL',
  'CID_SYS_RMQ_TRANS',
])
const SYSTEM_GROUP_PREFIX = 'CID_RMQ_SYS_'

/** The name in `topic`. Throws ILLEGAL_TOPIC with Apache's words. Namespaces are ignored, as Apache's proxy does. */
export function topicName(topic: rocketmq.Resource | undefined): string {
  const name = topic?.name ?? ''
  if (name.trim() === '') throw illegalTopic('The specified topic is blank')
  if (!ALPHABET.test(name)) {
    throw illegalTopic(
      `The specified topic[${shortened(name)}] contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$`,
    )
  }
  // Names that brokers derive (%RETRY%group_topic) are longer than what a client may choose.
  if (name.length > TOPIC_MAX)
    throw illegalTopic(`The specified topic is longer than topic max length ${TOPIC_MAX}.`)
  if (SYSTEM_TOPICS.has(name) || name.startsWith(SYSTEM_TOPIC_PREFIX))
    throw illegalTopic('cannot access system topic')
  return name
}

/** The name in `group`. Throws ILLEGAL_CONSUMER_GROUP with Apache's words. */
export function groupName(group: rocketmq.Resource | undefined): string {
  const name = group?.name ?? ''
  if (name.trim() === '') throw illegalGroup('the specified group is blank')
  if (!ALPHABET.test(name)) {
    throw illegalGroup(
      `the specified group[${shortened(name)}] contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$`,
    )
  }
  if (name.length > GROUP_MAX)
    throw illegalGroup(`the specified group is longer than group max length ${GROUP_MAX}.`)
  if (SYSTEM_GROUPS.has(name) || name.startsWith(SYSTEM_GROUP_PREFIX))
    throw illegalGroup('cannot use system consumer group')
  return name
}

/** The words of Apache's proxy for an unknown topic; the official Node client's own tests match them. */
export function topicNotFound(topic: string): StatusError {
  return new StatusError(
    Code.TOPIC_NOT_FOUND,
    `CODE: 17  DESC: No topic route info in name server for the topic: ${topic}\n` +
      'For more information, please visit the url, https://rocketmq.apache.org/docs/bestPractice/06FAQ',
  )
}

/** Hostile names come back in answers and reach logs. */
function shortened(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name
}

function illegalTopic(why: string): StatusError {
  return new StatusError(Code.ILLEGAL_TOPIC, why)
}

function illegalGroup(why: string): StatusError {
  return new StatusError(Code.ILLEGAL_CONSUMER_GROUP, why)
}
