/** Names of properties that messaging reads or writes (RocketMQ MessageConst), and our own two. */
export const PropertyName = {
  tags: 'TAGS',
  keys: 'KEYS',
  uniqueKey: 'UNIQ_KEY',
  producerGroup: 'PGROUP',
  shardingKey: '__SHARDINGKEY',
  traceContext: 'TRACE_CONTEXT',
  bornHost: '__BORNHOST',
  bornTimestamp: 'BORN_TIMESTAMP',
  cluster: 'CLUSTER',
  region: 'MSG_REGION',
  traceOn: 'TRACE_ON',
  wait: 'WAIT',
  delay: 'DELAY',
  realTopic: 'REAL_TOPIC',
  realQueueId: 'REAL_QID',
  timerDeliverMs: 'TIMER_DELIVER_MS',
  timerOutMs: 'TIMER_OUT_MS',
  timerEnqueueMs: 'TIMER_ENQUEUE_MS',
  timerDequeueMs: 'TIMER_DEQUEUE_MS',
  retryTopic: 'RETRY_TOPIC',
  originMessageId: 'ORIGIN_MESSAGE_ID',
  /** Ours: which scheduled record a re-put timer delivers. Never shown to consumers. */
  scheduled: '__TMQ_SCHEDULED',
  /** Ours: which record a dead letter is a copy of. Never shown to consumers. */
  deadLetterOf: '__TMQ_DEAD_LETTER_OF',
} as const

/** One pair as the record holds it. */
export function pair(name: string, value: string): string {
  return `${name}\u0001${value}\u0002`
}

/** Adds pairs to a raw text, whose last separator may be missing (old encoders). */
export function withPairs(properties: string, pairs: string): string {
  return properties === '' || properties.endsWith('\u0002')
    ? properties + pairs
    : `${properties}\u0002${pairs}`
}
