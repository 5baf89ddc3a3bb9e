/** What a topic takes. MIXED takes everything. */
export type TopicType = 'NORMAL' | 'FIFO' | 'DELAY' | 'TRANSACTION' | 'MIXED'

export interface TopicView {
  readonly name: string
  readonly readQueues: number
  readonly writeQueues: number
  /** RocketMQ PermName: 4 = read, 2 = write. */
  readonly perm: number
  readonly type: TopicType
}

export interface GroupView {
  readonly name: string
  readonly consumeEnabled: boolean
  /** A queue is blocked while a batch of it is being consumed. */
  readonly orderly: boolean
  /** Redeliveries after the first delivery; then the message goes to the dead letter topic. */
  readonly retryMaxTimes: number
}

/** Which topics and groups there are, and whether unknown ones come to be at first use. That is the broker's to decide. */
export interface Catalog {
  topic(name: string): TopicView | undefined
  group(name: string): GroupView | undefined
  /** First send to an unknown topic: creates it where that is wanted and possible, else `undefined`. */
  createTopic(name: string): TopicView | undefined
  /** First receive of an unknown group. */
  createGroup(name: string): GroupView | undefined
  /** `%DLQ%<group>` (1 queue, readable and writable), created on demand. */
  deadLetterTopic(group: string): TopicView | undefined
}

const READABLE = 4
const WRITABLE = 2

export function isReadable(topic: TopicView): boolean {
  return (topic.perm & READABLE) !== 0 && topic.readQueues > 0
}

export function isWritable(topic: TopicView): boolean {
  return (topic.perm & WRITABLE) !== 0 && topic.writeQueues > 0
}
