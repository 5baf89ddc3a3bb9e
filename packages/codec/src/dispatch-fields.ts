import { crc32m } from './crc32m.ts'
import { dataViewOf } from './data-view.ts'
import { isPort } from './host.ts'
import { getInt64, isOffset } from './int64.ts'
import type { LogRecord } from './log-record.ts'
import * as layout from './record-layout.ts'
import { TopicTexts } from './topic-texts.ts'

/** What queues and index need of a record, and where its last parts lie. */
export interface DispatchFields extends Pick<
  LogRecord,
  | 'size'
  | 'queueId'
  | 'queueOffset'
  | 'physicalOffset'
  | 'sysFlag'
  | 'storeTimestamp'
  | 'topic'
  | 'properties'
> {
  readonly propertiesBytes: number
  /** Bytes of all that follows the body. */
  readonly behindBodyBytes: number
}

/**
 * Reads the {@link DispatchFields} of one record after the other, in place: every record of a log passes here when a store recovers, so that none costs an
 * object, and a text only where somebody asks for it. What it says of a record holds until the next {@link take} or {@link look}.
 */
export class DispatchFieldsReader implements DispatchFields {
  size = 0
  queueId = 0
  queueOffset = 0
  physicalOffset = 0
  sysFlag = 0
  storeTimestamp = 0
  propertiesBytes = 0
  behindBodyBytes = 0
  #source: Buffer = Buffer.alloc(0)
  #view: DataView = dataViewOf(this.#source)
  #at = 0
  #bodyAt = 0
  #bodyEnd = 0
  #topicAt = 0
  #topicEnd = 0
  #end = 0
  #topic: string | undefined
  #properties: string | undefined
  readonly #topics = new TopicTexts()

  /** The bytes in which the next records lie. */
  look(source: Buffer): void {
    this.#source = source
    this.#view = dataViewOf(source)
  }

  /**
   * As `decodeRecord`, without the body's checksum and without what nobody here looks at. The record of `size` bytes at `at` must have scanned as a message.
   * False: it holds what no record has.
   */
  take(at: number, size: number): boolean {
    const view = this.#view
    const sysFlag = view.getInt32(at + layout.SYS_FLAG_AT)
    const queueOffset = getInt64(view, at + layout.QUEUE_OFFSET_AT)
    const storeTimestampAt = at + layout.storeTimestampAt(sysFlag)
    const bodyLengthAt = at + layout.bodyLengthAt(sysFlag)
    const bornPort = view.getInt32(storeTimestampAt - 4)
    const storePort = view.getInt32(bodyLengthAt - 16)
    if (!isOffset(queueOffset) || !isPort(bornPort) || !isPort(storePort)) return false
    const bodyEnd = bodyLengthAt + 4 + view.getInt32(bodyLengthAt)
    const isFirst = view.getInt32(at + layout.MAGIC_AT) === layout.MAGIC_V1
    const topicAt = bodyEnd + (isFirst ? 1 : 2)
    const topicEnd = topicAt + (isFirst ? view.getInt8(bodyEnd) : view.getInt16(bodyEnd))
    const end = at + size
    this.size = size
    this.queueId = view.getInt32(at + layout.QUEUE_ID_AT)
    this.queueOffset = queueOffset
    this.physicalOffset = getInt64(view, at + layout.PHYSICAL_OFFSET_AT)
    this.sysFlag = sysFlag
    this.storeTimestamp = getInt64(view, storeTimestampAt)
    this.propertiesBytes = end - topicEnd - 2
    this.behindBodyBytes = end - bodyEnd
    this.#at = at
    this.#bodyAt = bodyLengthAt + 4
    this.#bodyEnd = bodyEnd
    this.#topicAt = topicAt
    this.#topicEnd = topicEnd
    this.#end = end
    this.#topic = undefined
    this.#properties = undefined
    return true
  }

  /** Whether the body is what the record's checksum says. */
  get isBodyRight(): boolean {
    const body = this.#source.subarray(this.#bodyAt, this.#bodyEnd)
    return this.#view.getInt32(this.#at + layout.BODY_CRC_AT) === crc32m(body)
  }

  get topic(): string {
    return (this.#topic ??= this.#topics.at(this.#source, this.#topicAt, this.#topicEnd))
  }

  get properties(): string {
    return (this.#properties ??= this.#source.toString('utf8', this.#topicEnd + 2, this.#end))
  }
}
