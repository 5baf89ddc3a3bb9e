/** Letters, digits and `% | _ -`, as Apache allows them: a topic becomes the name of a directory. */
const topicPattern = /^[%|a-zA-Z0-9_-]{1,255}$/

/** Whether a name may be used as a topic; every name from the network or the disk passes here before it is a path. */
export function isTopicName(topic: string): boolean {
  return topicPattern.test(topic)
}

/** Queue ids that may come from outside; Apache has no bound, and nobody has more queues. */
const QUEUE_ID_MAX = 65_535

/** A unit's place in its queue, in bytes, is exact up to here. */
const QUEUE_OFFSET_MAX = Math.floor(Number.MAX_SAFE_INTEGER / 20) - 1

/** Whether a record names a topic, a queue and a place in it that can be. */
export function canBeQueued(record: {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: number
}): boolean {
  return isTopicName(record.topic) && isQueueId(record.queueId) && isQueuePlace(record.queueOffset)
}

/** Whether a queue offset is a place that a queue's files can have. */
export function isQueuePlace(queueOffset: number): boolean {
  return queueOffset <= QUEUE_OFFSET_MAX
}

export function isQueueId(queueId: number): boolean {
  return Number.isInteger(queueId) && queueId >= 0 && queueId <= QUEUE_ID_MAX
}
