import { encodeProperties, type LogRecord } from '@tandemmq/codec'
import type { MessageToAppend } from '@tandemmq/storage'

const TOPICS = 3
const BODY_BYTES_MAX = 3000

/** The message of that number: everything about it follows from the number, so that whoever finds it can tell whether it is as it was sent. */
export function numberedMessage(number: number): MessageToAppend {
  return {
    topic: `numbered-${number % TOPICS}`,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: { ip: '127.0.0.1', port: 4000 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(bodyOf(number)),
    properties: encodeProperties([
      ['TAGS', 'TagA'],
      ['KEYS', String(number)],
    ]),
  }
}

/** What is wrong with a record that should be the message of that number, the first of the log being 0; `undefined`: nothing. */
export function whatDiffers(record: LogRecord, number: number): string | undefined {
  const { topic, body, properties } = numberedMessage(number)
  if (record.topic !== topic || !record.body.equals(body) || record.properties !== properties) {
    return `message ${number} is not as it was sent`
  }
  const queueOffset = Math.floor(number / TOPICS)
  return record.queueOffset === queueOffset
    ? undefined
    : `message ${number} has queue offset ${record.queueOffset}, not ${queueOffset}`
}

function bodyOf(number: number): string {
  return `${number} `.padEnd(10 + ((number * 7919) % BODY_BYTES_MAX), String(number))
}
