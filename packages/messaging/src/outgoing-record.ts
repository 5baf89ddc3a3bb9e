import { SysFlag, type Host } from '@tandemmq/codec'
import type { OutgoingMessage } from './api.ts'
import type { MessageToAppend } from './message-log.ts'
import { PropertyName, pair } from './property-names.ts'

export interface RecordIdentity {
  /** Stored in every record as CLUSTER. */
  readonly cluster: string
  /** Stored in every record as MSG_REGION. */
  readonly region: string
}

/** Turns messages into records as Apache's proxy and broker together do. Runs for every message: texts are only joined, never parsed. */
export class OutgoingRecords {
  /** What is the same in every record. */
  readonly #common: string

  constructor({ cluster, region }: RecordIdentity) {
    this.#common =
      pair(PropertyName.region, region) +
      pair(PropertyName.cluster, cluster) +
      pair(PropertyName.traceOn, 'true')
  }

  /** `message` has been checked: no text in it contains a separator. */
  record(message: OutgoingMessage, queueId: number, peer: Host): MessageToAppend {
    return {
      topic: message.topic,
      queueId,
      flag: 0,
      sysFlag: message.compressed ? SysFlag.compressed : 0,
      bornTimestamp: message.bornTimestamp,
      bornHost: isAddress(message.bornHost.ip) ? message.bornHost : peer,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: message.body,
      properties: this.#properties(message),
    }
  }

  #properties(message: OutgoingMessage): string {
    let text =
      this.#common +
      pair(PropertyName.uniqueKey, message.messageId) +
      pair(PropertyName.producerGroup, message.topic)
    if (message.tag !== undefined) text += pair(PropertyName.tags, message.tag)
    if (message.keys.length > 0) text += pair(PropertyName.keys, message.keys.join(' '))
    if (message.messageGroup !== undefined) text += pair(PropertyName.shardingKey, message.messageGroup)
    if (message.deliveryTimestamp !== undefined) {
      text += pair(PropertyName.timerDeliverMs, `${message.deliveryTimestamp}`)
    }
    if (message.traceContext) text += pair(PropertyName.traceContext, message.traceContext)
    text +=
      pair(PropertyName.bornHost, message.bornHost.ip) +
      pair(PropertyName.bornTimestamp, `${message.bornTimestamp}`)
    // A property without a value does not survive decoding, so it is not stored.
    for (const [name, value] of message.userProperties) if (value !== '') text += pair(name, value)
    return text
  }
}

/** Some clients name their machine instead of its address; a record has room for an address only. */
function isAddress(text: string): boolean {
  return text.includes(':') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)
}
