import type { Duration } from '@tandemmq/rpc'
import { rocketmq } from '@tandemmq/rpc'
import { isNode, isNodeUpTo108 } from '../client-api/node-client.ts'
import { groupName, topicName } from '../client-api/resource-names.ts'
import { durationOf } from '../client-api/duration-ms.ts'
import type { GroupTraits } from './route-catalog.ts'

const BODY_BYTES_MAX = 4 * 1024 * 1024
const PRODUCER_ATTEMPTS = 3
const RETRY_MAX_TIMES = 16
const RECEIVE_BATCH = 32
const LONG_POLLING_MS = 20_000
/** What a broker of Apache 5.5 says to every consumer; lite clients do not start without. */
const LITE_SUBSCRIPTION_QUOTA = 2_000
const LITE_TOPIC_SIZE_MAX = 64

const MINUTE = 60
const HOUR = 3600
/** Apache's delays between deliveries, s. */
const RETRY_DELAYS = [
  1,
  5,
  10,
  30,
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30].map((minutes) => minutes * MINUTE),
]
const CUSTOMIZED: readonly Duration[] = [...RETRY_DELAYS, HOUR, 2 * HOUR].map((seconds) => ({
  seconds,
  nanos: 0,
}))

export interface SettingsReader {
  readonly language: string
  readonly clientVersion: string
}

/**
 * What a client is told to do: its own settings with every field filled in that some official client cannot do without. Throws `StatusError`
 * for illegal names; `undefined` if there is neither a publishing nor a subscribing side.
 */
export function settingsAnswer(
  received: rocketmq.Settings,
  reader: SettingsReader,
  groupOf: (name: string) => GroupTraits | undefined,
): rocketmq.Settings | undefined {
  const { pubSub } = received
  const common = { ...received, metric: { on: false } }
  switch (pubSub?.$case) {
    case 'publishing': {
      for (const topic of pubSub.value.topics) topicName(topic)
      const value = { ...pubSub.value, maxBodySize: BODY_BYTES_MAX, validateMessageType: true }
      return { ...common, backoffPolicy: producerPolicy(), pubSub: { $case: 'publishing', value } }
    }
    case 'subscription': {
      const group = groupOf(groupName(pubSub.value.group))
      for (const { topic } of pubSub.value.subscriptions) topicName(topic)
      const value: rocketmq.Subscription = {
        ...pubSub.value,
        fifo: group?.orderly ?? false,
        receiveBatchSize: RECEIVE_BATCH,
        longPollingTimeout: durationOf(LONG_POLLING_MS),
        liteSubscriptionQuota: LITE_SUBSCRIPTION_QUOTA,
        maxLiteTopicSize: LITE_TOPIC_SIZE_MAX,
      }
      const maxAttempts = (group?.retryMaxTimes ?? RETRY_MAX_TIMES) + 1
      return {
        ...common,
        backoffPolicy: consumerPolicy(reader, maxAttempts),
        pubSub: { $case: 'subscription', value },
      }
    }
    default:
      return undefined
  }
}

/** Exponential for everybody: Java and Node do not start without. */
function producerPolicy(): rocketmq.RetryPolicy {
  return {
    maxAttempts: PRODUCER_ATTEMPTS,
    strategy: {
      $case: 'exponentialBackoff',
      value: { initial: durationOf(10), max: durationOf(1000), multiplier: 2 },
    },
  }
}

/** Node understands the exponential form only, Python the list only. */
function consumerPolicy(reader: SettingsReader, maxAttempts: number): rocketmq.RetryPolicy {
  if (!isNode(reader)) {
    return { maxAttempts, strategy: { $case: 'customizedBackoff', value: { next: [...CUSTOMIZED] } } }
  }
  // Node up to 1.0.8 takes the seconds for milliseconds: it is told 5000 s and waits 5 s.
  const scale = isNodeUpTo108(reader) ? 1000 : 1
  const seconds = (count: number): Duration => ({ seconds: count * scale, nanos: 0 })
  return {
    maxAttempts,
    strategy: {
      $case: 'exponentialBackoff',
      value: { initial: seconds(5), max: seconds(2 * HOUR), multiplier: 2 },
    },
  }
}
