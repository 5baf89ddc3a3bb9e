import { createSecretKey } from 'node:crypto'
import { BrokerError, type Clock, type Timer } from '@tandemmq/base'
import { encodeReceiptHandle, openReceiptHandle, type LogRecord, type ReceiptHandle } from '@tandemmq/codec'
import type {
  AckEntry,
  AckStatus,
  CallContext,
  DeliveredMessage,
  MessageType,
  MessagingApi,
  OutgoingMessage,
  ReceiveAnswer,
  ReceiveRequest,
  SendReceipt,
} from '@tandemmq/messaging'

const handleKey = createSecretKey(Buffer.alloc(32, 7))

interface Stored {
  readonly offset: number
  readonly message: OutgoingMessage
}

/** What is waiting for messages. */
interface Poll {
  readonly request: ReceiveRequest
  readonly finish: () => void
}

export interface MemoryMessagingOptions {
  readonly clock: Clock
  readonly set?: string
  readonly topics: readonly string[]
  /** Topics that take one type of message only. */
  readonly types?: ReadonlyMap<string, MessageType>
  /** Answers only calls stamped with this epoch, or not stamped; undefined: all. */
  readonly servingEpoch?: number
}

/** A broker's semantics reduced to one queue per topic in memory: enough for clients to live on. */
export class MemoryMessaging implements MessagingApi {
  readonly sent: OutgoingMessage[] = []
  readonly acked: string[] = []
  readonly nacked: { readonly messageId: string; readonly invisibleMs: number }[] = []
  readonly deadLettered: string[] = []
  readonly goneClients: string[] = []
  readonly contexts: CallContext[] = []
  servingEpoch: number | undefined
  /** Answers calls that ask for the promise of all replicas, too. */
  isPromised = false
  /** Instead of storing, a send does this. */
  onSend: ((message: OutgoingMessage) => Promise<SendReceipt>) | undefined
  readonly #clock: Clock
  readonly #set: string
  readonly #topics: Set<string>
  readonly #types: ReadonlyMap<string, MessageType>
  readonly #log: Stored[] = []
  readonly #invisibleUntil = new Map<string, number>()
  readonly #attempts = new Map<string, number>()
  readonly #polls = new Set<Poll>()

  constructor({ clock, set = 'broker-a', topics, types = new Map(), servingEpoch }: MemoryMessagingOptions) {
    this.#types = types
    this.#clock = clock
    this.#set = set
    this.#topics = new Set(topics)
    this.servingEpoch = servingEpoch
  }

  get polls(): number {
    return this.#polls.size
  }

  /** Every poll that waits returns what there is. */
  endPolls(): void {
    for (const poll of this.#polls) poll.finish()
  }

  async send(message: OutgoingMessage, context: CallContext): Promise<SendReceipt> {
    this.contexts.push(context)
    this.#demandTopic(message.topic)
    this.#demandType(message)
    if (this.onSend) return this.onSend(message)
    this.sent.push(message)
    const offset = this.#log.length
    this.#log.push({ offset, message })
    for (const poll of this.#polls) if (poll.request.topic === message.topic) poll.finish()
    return { status: 'OK', messageId: message.messageId, queueId: 0, queueOffset: offset, offset }
  }

  async receive(request: ReceiveRequest, context: CallContext): Promise<ReceiveAnswer> {
    this.contexts.push(context)
    this.#check(context)
    this.#demandTopic(request.topic)
    const now = this.#take(request)
    if (now.length > 0 || request.pollMs <= 0) return { messages: now, filteredOnly: false }
    await this.#wait(request, context.signal)
    this.#check(context)
    return { messages: context.signal.aborted ? [] : this.#take(request), filteredOnly: false }
  }

  async ack(
    _group: string,
    _topic: string,
    entries: readonly AckEntry[],
    context: CallContext,
  ): Promise<readonly AckStatus[]> {
    this.#check(context)
    return entries.map(({ receiptHandle }) => {
      const handle = opened(receiptHandle)
      if (!handle) return 'RECEIPT_HANDLE_INVALID'
      this.#invisibleUntil.set(keyOf(handle), Number.POSITIVE_INFINITY)
      this.acked.push(this.#messageIdAt(handle))
      return 'OK'
    })
  }

  async changeInvisible(receiptHandle: string, invisibleMs: number, context: CallContext): Promise<string> {
    this.#check(context)
    const handle = openReceiptHandle(receiptHandle, handleKey)
    this.#invisibleUntil.set(keyOf(handle), this.#clock.monotonic() + invisibleMs)
    this.nacked.push({ messageId: this.#messageIdAt(handle), invisibleMs })
    return encodeReceiptHandle({ ...handle, invisibleMs }, handleKey)
  }

  async forwardToDeadLetter(receiptHandle: string, context: CallContext): Promise<void> {
    this.#check(context)
    const handle = openReceiptHandle(receiptHandle, handleKey)
    this.#invisibleUntil.set(keyOf(handle), Number.POSITIVE_INFINITY)
    this.deadLettered.push(this.#messageIdAt(handle))
  }

  clientGone(clientId: string, group: string): void {
    this.goneClients.push(`${group}/${clientId}`)
  }

  #check(context: CallContext): void {
    const isOurs = context.servingEpoch === undefined || context.servingEpoch === this.servingEpoch
    if (isOurs && (context.onPromise !== true || this.isPromised)) return
    throw new BrokerError('NOT_SERVING', 'this broker does not serve consumers now', {
      facts: { servingEpoch: this.servingEpoch ?? 0 },
    })
  }

  #demandTopic(topic: string): void {
    if (!this.#topics.has(topic)) {
      throw new BrokerError('TOPIC_NOT_FOUND', `no such topic: ${topic}`, { facts: { topic } })
    }
  }

  #demandType({ topic, type }: OutgoingMessage): void {
    const only = this.#types.get(topic)
    if (only !== undefined && only !== type) {
      throw new BrokerError('MESSAGE_ILLEGAL', `the topic ${topic} takes ${only} messages, not ${type}`, {
        facts: { rule: 'message-type' },
      })
    }
  }

  /** A handle as this broker would have given it. */
  handleFor(group: string, topic: string, queueOffset: number): string {
    return encodeReceiptHandle(this.#handle({ group, topic, invisibleMs: 60_000 }, queueOffset, 1), handleKey)
  }

  #take(request: ReceiveRequest): DeliveredMessage[] {
    const now = this.#clock.monotonic()
    const { topic, group, filter } = request
    const taken: DeliveredMessage[] = []
    for (const { offset, message } of this.#log) {
      const key = keyOf({ group, topic, queueOffset: offset })
      if (message.topic !== topic || taken.length === request.batchSize) continue
      if (filter.kind === 'tags' && !filter.tags.has(message.tag ?? '')) continue
      if ((this.#invisibleUntil.get(key) ?? 0) > now) continue
      this.#invisibleUntil.set(key, now + request.invisibleMs)
      const attempt = (this.#attempts.get(key) ?? 0) + 1
      this.#attempts.set(key, attempt)
      taken.push(this.#delivered(request, { offset, message }, attempt))
    }
    return taken
  }

  #wait(request: ReceiveRequest, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        timer?.cancel()
        this.#polls.delete(poll)
        signal.removeEventListener('abort', finish)
        resolve()
      }
      const poll: Poll = { request, finish }
      const timer: Timer | undefined = this.#clock.after(request.pollMs, finish)
      this.#polls.add(poll)
      signal.addEventListener('abort', finish, { once: true })
    })
  }

  #delivered(request: ReceiveRequest, { offset, message }: Stored, attempt: number): DeliveredMessage {
    const { topic } = request
    const handle = this.#handle(request, offset, attempt)
    return {
      record: recordOf(message, offset, this.#clock.now()),
      properties: propertiesOf(message),
      topic,
      receiptHandle: encodeReceiptHandle(handle, handleKey),
      attempt,
    }
  }

  #handle(
    { group, topic, invisibleMs }: Pick<ReceiveRequest, 'group' | 'topic' | 'invisibleMs'>,
    queueOffset: number,
    attempt: number,
  ): ReceiptHandle {
    return {
      set: this.#set,
      group,
      topic,
      queueId: 0,
      queueOffset,
      stamp: { logEpoch: 1, physicalOffset: queueOffset },
      attempt,
      deliveredAt: this.#clock.now(),
      invisibleMs,
      servingEpoch: this.servingEpoch ?? 1,
    }
  }

  #messageIdAt({ queueOffset }: ReceiptHandle): string {
    return this.#log[queueOffset]?.message.messageId ?? ''
  }
}

/** Properties as the record of a sent message has them. */
export function propertiesOf(message: OutgoingMessage): Map<string, string> {
  const properties = new Map<string, string>([
    ['UNIQ_KEY', message.messageId],
    ['PGROUP', message.topic],
    ['CLUSTER', 'DefaultCluster'],
    ['__BORNHOST', message.bornHost.ip],
    ['BORN_TIMESTAMP', `${message.bornTimestamp}`],
  ])
  if (message.tag !== undefined) properties.set('TAGS', message.tag)
  if (message.keys.length > 0) properties.set('KEYS', message.keys.join(' '))
  if (message.messageGroup !== undefined) properties.set('__SHARDINGKEY', message.messageGroup)
  if (message.deliveryTimestamp !== undefined)
    properties.set('TIMER_DELIVER_MS', `${message.deliveryTimestamp}`)
  for (const [name, value] of message.userProperties) properties.set(name, value)
  return properties
}

export function recordOf(message: OutgoingMessage, queueOffset: number, now: number): LogRecord {
  return {
    version: 1,
    size: 200 + message.body.length,
    bodyCrc: 0,
    queueId: 0,
    flag: 0,
    queueOffset,
    physicalOffset: queueOffset * 1000,
    sysFlag: message.compressed ? 1 : 0,
    bornTimestamp: message.bornTimestamp,
    bornHost: { ip: '10.1.1.1', port: 40000 },
    storeTimestamp: now,
    storeHost: { ip: '10.2.2.2', port: 10911 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: message.body,
    topic: message.topic,
    properties: '',
  }
}

function opened(text: string): ReceiptHandle | undefined {
  try {
    return openReceiptHandle(text, handleKey)
  } catch {
    return undefined
  }
}

function keyOf({
  group,
  topic,
  queueOffset,
}: Pick<ReceiptHandle, 'group' | 'topic' | 'queueOffset'>): string {
  return `${group} ${topic} ${queueOffset}`
}
