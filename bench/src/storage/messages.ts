import { encodeProperties } from '@tandemmq/codec'
import type { Appended, MessageToAppend } from '@tandemmq/storage'

export const TOPIC = 'BenchStorage'
export const QUEUES = 4
const KEYS = 4096

/** One tag, two keys, as a broker's door hands them over: a text in one piece. (Joined texts are flattened by their first use.) */
const properties = Array.from({ length: KEYS }, (_, n) =>
  Buffer.from(
    encodeProperties([
      ['KEYS', `order-${1_000_000 + n} customer-${5_000_000 + n}`],
      ['TAGS', 'TagA'],
    ]),
  ).toString('latin1'),
)

/** Makes messages with bodies of `bodyBytes`, over four queues; a fresh object each, as a broker does. */
export function messagesOf(bodyBytes: number): (n: number) => MessageToAppend {
  const body = Buffer.alloc(bodyBytes, 'x')
  return (n) => ({
    topic: TOPIC,
    queueId: n % QUEUES,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: Date.now(),
    bornHost: { ip: '127.0.0.1', port: 10911 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body,
    properties: properties[n % KEYS] ?? '',
  })
}

/** Throws what went wrong with the first message that was not appended. */
export function demandAppended(outcomes: readonly (Appended | Error)[]): void {
  const failure = outcomes.find((outcome) => outcome instanceof Error)
  if (failure !== undefined) throw failure
}
