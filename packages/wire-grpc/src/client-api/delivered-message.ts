import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { SysFlag } from '@tandemmq/codec'
import type { DeliveredMessage } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { isHiddenProperty } from './reserved-properties.ts'

const { DigestType, Encoding, MessageType } = rocketmq

/** Bodies are at most 4 MiB as sent; a small one may inflate to much more. */
const INFLATED_MAX_BYTES = 32 * 1024 * 1024
const SCHEDULED = ['DELAY', 'TIMER_DELIVER_MS', 'TIMER_DELAY_SEC', 'TIMER_DELAY_MS']

/** A stored message as consumers see it. Every field that some official client cannot do without is there. */
export function deliveredMessage(delivered: DeliveredMessage): rocketmq.Message {
  const { record, properties, topic, place, receiptHandle, attempt } = delivered
  const { body, encoding } = bodyOf(delivered)
  const text = (name: string): string | undefined => properties.get(name) || undefined
  const deadLetterTopic = text('DLQ_ORIGIN_TOPIC')
  const deliverAt = Number(text('TIMER_DELIVER_MS') ?? Number.NaN)
  const bornAt = Number(text('BORN_TIMESTAMP') ?? Number.NaN)
  const system: rocketmq.SystemProperties = {
    tag: text('TAGS'),
    keys:
      text('KEYS')
        ?.split(' ')
        .filter((key) => key !== '') ?? [],
    messageId: text('UNIQ_KEY') ?? `${record.physicalOffset}`,
    // Over the bytes sent. Upper-case MD5 is what every official client reads in the same way.
    bodyDigest: {
      type: DigestType.MD5,
      checksum: createHash('md5').update(body).digest('hex').toUpperCase(),
    },
    bodyEncoding: encoding,
    messageType: messageType(properties),
    bornTimestamp: new Date(Number.isFinite(bornAt) ? bornAt : record.bornTimestamp),
    bornHost: text('__BORNHOST') ?? record.bornHost.ip,
    storeTimestamp: new Date(record.storeTimestamp),
    storeHost: `${record.storeHost.ip}:${record.storeHost.port}`,
    deliveryTimestamp: Number.isFinite(deliverAt) ? new Date(deliverAt) : undefined,
    receiptHandle,
    queueId: (place ?? record).queueId,
    queueOffset: (place ?? record).queueOffset,
    deliveryAttempt: attempt,
    messageGroup: text('__SHARDINGKEY'),
    traceContext: text('TRACE_CONTEXT'),
    deadLetterQueue: deadLetterTopic
      ? { topic: deadLetterTopic, messageId: text('DLQ_ORIGIN_MESSAGE_ID') ?? '' }
      : undefined,
  }
  return {
    topic: { resourceNamespace: '', name: topic },
    userProperties: new Map([...properties].filter(([name]) => !isHiddenProperty(name))),
    systemProperties: system,
    body,
  }
}

function messageType(properties: ReadonlyMap<string, string>): rocketmq.MessageType {
  if (properties.get('TRAN_MSG') === 'true') return MessageType.TRANSACTION
  if (SCHEDULED.some((name) => properties.has(name))) return MessageType.DELAY
  return properties.has('__SHARDINGKEY') ? MessageType.FIFO : MessageType.NORMAL
}

/** The C++ client labels zlib data as GZIP, which the Node and Rust clients cannot read: they get it inflated. */
function bodyOf({ record }: DeliveredMessage): { body: Buffer; encoding: rocketmq.Encoding } {
  const { body, sysFlag } = record
  if ((sysFlag & SysFlag.compressed) === 0) return { body, encoding: Encoding.IDENTITY }
  if (body[0] !== 0x78) return { body, encoding: Encoding.GZIP }
  try {
    return { body: inflateSync(body, { maxOutputLength: INFLATED_MAX_BYTES }), encoding: Encoding.IDENTITY }
  } catch {
    return { body, encoding: Encoding.GZIP } // Not zlib after all, or too large: as it was stored.
  }
}
