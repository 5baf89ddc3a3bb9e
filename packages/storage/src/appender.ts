import { BrokerError, invariant, type Clock, type LogOffset, type QueueOffset } from '@tandemmq/base'
import {
  BATCH_ELEMENT_BYTES_MIN,
  BLANK_BYTES,
  INNER_NUM,
  SysFlag,
  encodeRecord,
  endsLikeCrc,
  propertiesBeforeCrc,
  propertyOf,
  recordSize,
  recordVersionFor,
  transactionTypeOf,
  type Host,
  type RecordFields,
} from '@tandemmq/codec'
import { isQueued } from './arrival.ts'
import { elementsOf, type AppendedBatch, type BatchToAppend } from './batch-append.ts'
import type { CommitLog } from './commit-log.ts'
import type { Dispatcher } from './dispatcher.ts'
import { LIGHT_QUEUES_MAX, lightNamesIn, withLightOffsets, withoutLightOffsets } from './light-queues.ts'
import type { QueueOffsets } from './queue-offsets.ts'
import type { MessageToAppend } from './message-to-append.ts'
import { isQueueId, isTopicName } from './topic-name.ts'

/** Where a message lies. */
export interface Appended {
  readonly offset: LogOffset
  readonly size: number
  /** Position to wait for: everything of the message is below. */
  readonly end: LogOffset
  readonly queueOffset: QueueOffset
  /** ms. */
  readonly storeTimestamp: number
}

export interface AppenderOptions {
  readonly storeHost: Host
  readonly maxMessageBytes: number
  /** Records end with a checksum over all of them. */
  readonly propertyCrc: boolean
  /** Messages may ask for places in light queues (Apache: enableLmq and enableMultiDispatch). */
  readonly lightQueues: boolean
  readonly isBatchTopic: (topic: string) => boolean
}

const noNames: readonly string[] = []
const noBody = Buffer.alloc(0)

type PlacedFields = Omit<RecordFields, 'queueOffset' | 'physicalOffset' | 'properties' | 'body'> & {
  queueOffset: QueueOffset
  physicalOffset: LogOffset
  properties: string
  /** Once the record is written its fields may be kept for a while, and its body not for them. */
  body: Buffer
}

interface PlacedRecord {
  readonly fields: PlacedFields
  readonly size: number
  /** Light queues that it has a place in. */
  readonly light: readonly string[]
  /** Which outcome is its. */
  readonly outcome: number
}

const TOPIC_LENGTH_MAX = 127
const INNER_TOPIC_LENGTH_MAX = 255

/** The one writer of a master's log. Everything happens in one synchronous step. */
export class Appender {
  readonly #log: CommitLog
  readonly #queueOffsets: QueueOffsets
  readonly #dispatcher: Dispatcher
  readonly #options: AppenderOptions
  readonly #clock: Clock
  #storeTimestamp: number
  /** Records that are placed in the log and not written, in one turn. */
  #piece: PlacedRecord[] = []
  /** The log's end before the next record that is offered to dispatch. */
  #from: LogOffset = 0

  constructor(
    log: CommitLog,
    queueOffsets: QueueOffsets,
    dispatcher: Dispatcher,
    options: AppenderOptions,
    clock: Clock,
  ) {
    this.#log = log
    this.#queueOffsets = queueOffsets
    this.#dispatcher = dispatcher
    this.#options = options
    this.#clock = clock
    this.#storeTimestamp = dispatcher.storeTimestamp
  }

  /** Throws `MESSAGE_ILLEGAL`, `LOG_FENCED` or `DISK_FULL`; nothing is stored then and no queue offset is used. */
  append(message: MessageToAppend): Appended {
    const [outcome] = this.appendAll([message])
    invariant(outcome !== undefined, 'every message has an outcome')
    if (outcome instanceof BrokerError) throw outcome
    return outcome
  }

  /**
   * As {@link append} for each message, in their order, but what fits one piece is written in one: a write costs more than all the rest of an append.
   * Each has its outcome; those of a piece that could not be written are refused together, and have used no queue offset.
   */
  appendAll(messages: readonly MessageToAppend[]): (Appended | BrokerError)[] {
    const outcomes: (Appended | BrokerError)[] = []
    // Never back along the log, whatever the wall clock does.
    this.#storeTimestamp = Math.max(this.#clock.now(), this.#storeTimestamp)
    this.#from = this.#log.written.at
    for (const message of messages) outcomes.push(this.#placed(message, outcomes))
    this.#writePiece(outcomes)
    this.#log.announce()
    return outcomes
  }

  /** Places a message's record behind those of the piece; where it does not fit, they are written before. */
  #placed(message: MessageToAppend, outcomes: (Appended | BrokerError)[]): Appended | BrokerError {
    try {
      this.#check(message)
      const light = this.#options.lightQueues ? this.#lightNames(message) : noNames
      let fields = this.#fieldsOf(message, light)
      let size = this.#sizeOf(fields)
      if (!this.#log.canJoin(size)) {
        this.#writePiece(outcomes)
        fields = this.#fieldsOf(message, light) // A piece that failed has used no queue offset.
        size = this.#sizeOf(fields)
      }
      const offset = this.#log.place(size, (target, at, place) => {
        fields.physicalOffset = place
        encodeRecord(target, at, fields, this.#options)
      })
      if (isQueued(fields.sysFlag))
        this.#queueOffsets.advancePast(fields.topic, fields.queueId, fields.queueOffset)
      for (const name of light) this.#queueOffsets.advancePast(name, 0, this.#queueOffsets.next(name, 0))
      this.#piece.push({ fields, size, light, outcome: outcomes.length })
      const { queueOffset, storeTimestamp } = fields
      return { offset, size, end: offset + size, queueOffset, storeTimestamp }
    } catch (failure) {
      if (failure instanceof BrokerError) return failure
      throw failure
    }
  }

  /** Brings the piece to the log and offers its records to dispatch; or takes back all of it. */
  #writePiece(outcomes: (Appended | BrokerError)[]): void {
    const piece = this.#piece
    if (piece.length === 0) return
    this.#piece = []
    try {
      this.#log.writePlaced()
    } catch (failure) {
      if (!(failure instanceof BrokerError)) throw failure
      for (const { fields, light, outcome } of piece.toReversed()) {
        outcomes[outcome] = failure
        if (isQueued(fields.sysFlag))
          this.#queueOffsets.takeBack(fields.topic, fields.queueId, fields.queueOffset)
        for (const name of light) this.#queueOffsets.takeBack(name, 0, this.#queueOffsets.next(name, 0) - 1)
      }
      return
    }
    for (const { fields, size } of piece) this.#offer(fields, size)
  }

  /** What a record means for queues and index is found out in dispatch: a slave waits for what is done before. */
  #offer(fields: PlacedFields, size: number): void {
    fields.body = noBody
    this.#dispatcher.offer({ from: this.#from, offset: fields.physicalOffset, size, record: fields })
    this.#from = fields.physicalOffset + size
  }

  #sizeOf(fields: PlacedFields): number {
    const size = recordSize(fields, this.#options)
    if (size + BLANK_BYTES <= this.#log.segmentBytes) return size
    throw illegal('is longer than a file of the log', { size })
  }

  /** The record as it would be appended now. */
  #fieldsOf(message: MessageToAppend, light: readonly string[]): PlacedFields {
    const fields = {
      version: recordVersionFor(message.topic),
      queueId: message.queueId,
      flag: message.flag,
      queueOffset: isQueued(message.sysFlag) ? this.#queueOffsets.next(message.topic, message.queueId) : 0,
      physicalOffset: 0,
      sysFlag: message.sysFlag,
      bornTimestamp: message.bornTimestamp,
      bornHost: message.bornHost,
      storeTimestamp: this.#storeTimestamp,
      storeHost: this.#options.storeHost,
      reconsumeTimes: message.reconsumeTimes,
      preparedTransactionOffset: message.preparedTransactionOffset,
      body: message.body,
      topic: message.topic,
      properties: this.#storable(message.properties),
    }
    if (light.length > 0) {
      const offsets = light.map((name) => this.#queueOffsets.next(name, 0))
      fields.properties = withLightOffsets(fields.properties, offsets)
    }
    return fields
  }

  /**
   * As {@link append} for messages that belong together: each becomes a record of its own, next to the one before, or none does
   * (RocketMQ CommitLog.asyncPutMessages). Where they do not fit the rest of a file of the log, all go to the next.
   */
  appendBatch(batch: BatchToAppend): AppendedBatch {
    this.#checkBatch(batch)
    const { topic, queueId, messages } = batch
    const first = this.#queueOffsets.next(topic, queueId)
    const { sysFlag, elements } = elementsOf(batch, first, this.#options.isBatchTopic)
    const storeTimestamp = Math.max(this.#clock.now(), this.#storeTimestamp)
    const version = recordVersionFor(topic)
    const { storeHost } = this.#options
    let size = 0
    const sizes: number[] = []
    const records = elements.map(({ flag, body, properties }, index) => {
      const fields = {
        version,
        queueId,
        flag,
        queueOffset: first + index,
        physicalOffset: 0,
        sysFlag,
        bornTimestamp: batch.bornTimestamp,
        bornHost: batch.bornHost,
        storeTimestamp,
        storeHost,
        reconsumeTimes: batch.reconsumeTimes,
        preparedTransactionOffset: 0,
        body,
        topic,
        properties: this.#storable(properties),
      }
      const bytes = recordSize(fields, this.#options)
      sizes.push(bytes)
      size += bytes
      return fields
    })
    if (size + BLANK_BYTES > this.#log.segmentBytes)
      throw illegal('batch is longer than a file of the log', { size })

    this.#from = this.#log.written.at
    const offset = this.#log.append(size, (target, at, place) => {
      let done = 0
      for (const fields of records) {
        fields.physicalOffset = place + done
        done += encodeRecord(target, at + done, fields, this.#options)
      }
    })
    this.#queueOffsets.advancePast(topic, queueId, first + messages.length - 1)
    this.#storeTimestamp = storeTimestamp
    const offsets: LogOffset[] = []
    for (const [index, fields] of records.entries()) {
      this.#offer(fields, sizes[index] ?? 0)
      offsets.push(fields.physicalOffset)
    }
    this.#log.announce()
    return { offset, size, end: offset + size, queueOffset: first, storeTimestamp, offsets }
  }

  /** Nobody but the store may write a checksum of the record, or say which places it has in light queues. */
  #storable(sent: string): string {
    const properties = sent.includes('INNER_') ? withoutLightOffsets(sent) : sent
    return this.#options.propertyCrc || endsLikeCrc(properties) ? propertiesBeforeCrc(properties) : properties
  }

  #lightNames({ topic, properties, sysFlag }: MessageToAppend): readonly string[] {
    const names = isQueued(sysFlag) ? lightNamesIn(topic, properties) : noNames
    if (names === undefined) throw illegal('names a light queue that cannot be', { topic })
    if (!this.#queueOffsets.hasRoomFor(names))
      throw illegal('would make too many light queues', { max: LIGHT_QUEUES_MAX })
    return names
  }

  /** What Apache demands of a batch: an ordinary topic, no transaction, no more bytes together than one message may have. */
  #checkBatch({ topic, queueId, sysFlag, messages }: BatchToAppend): void {
    const [first] = messages
    if (first === undefined) throw illegal('batch is empty', { messages: 0 })
    this.#check({ topic, queueId, sysFlag, body: first.body, properties: '' })
    if (topic.startsWith('%RETRY%') || topic.length > TOPIC_LENGTH_MAX)
      throw illegal('batch goes to a topic that takes none', { length: topic.length })
    if (transactionTypeOf(sysFlag) !== 'none') throw illegal('batch is part of a transaction', { sysFlag })
    let bytes = 0
    for (const { body, properties } of messages)
      bytes += BATCH_ELEMENT_BYTES_MIN + body.length + Buffer.byteLength(properties)
    const max = this.#options.maxMessageBytes
    if (bytes > max) throw illegal('batch is too long', { rule: 'body-size', bytes, max })
  }

  #check({
    topic,
    queueId,
    body,
    sysFlag,
    properties,
  }: Pick<MessageToAppend, 'topic' | 'queueId' | 'body' | 'sysFlag' | 'properties'>): void {
    const isInner = topic.startsWith('%RETRY%') || topic.startsWith('%DLQ%')
    if (!isTopicName(topic) || topic.length > (isInner ? INNER_TOPIC_LENGTH_MAX : TOPIC_LENGTH_MAX)) {
      throw illegal('has a topic of forbidden characters or length', { length: topic.length })
    }
    if (!isQueueId(queueId)) throw illegal('has an impossible queue id', { queueId })
    if (body.length > this.#options.maxMessageBytes) {
      throw illegal('has too long a body', {
        rule: 'body-size',
        bytes: body.length,
        max: this.#options.maxMessageBytes,
      })
    }
    // Only the store puts messages together, in a topic that is for that (RocketMQ HookUtils.checkInnerBatch).
    if ((sysFlag & SysFlag.innerBatch) !== 0) throw illegal('says that it is an inner batch', { sysFlag })
    if (properties.includes(INNER_NUM) && propertyOf(properties, INNER_NUM) !== undefined)
      throw illegal('says how many messages it holds', { topic })
  }
}

function illegal(why: string, facts: Readonly<Record<string, number | string>>): BrokerError {
  return new BrokerError('MESSAGE_ILLEGAL', `the message ${why}`, { facts })
}
