import type { LogOffset } from '@tandemmq/base'
import type { Host } from './host.ts'
import type { LogRecord } from './log-record.ts'
import { encodeOffsetMessageId } from './message-id.ts'
import { decodeProperties } from './properties.ts'
import { MAGIC_BLANK, MAGIC_V1, MAGIC_V2 } from './record-layout.ts'

/** What {@link frameFields} describes: a record, or the blank at the end of a file of the log. */
export type DescribedFrame =
  | { readonly kind: 'message'; readonly offset: LogOffset; readonly record: LogRecord }
  | { readonly kind: 'blank'; readonly offset: LogOffset; readonly size: number }

/** A frame of the log as a JSON object, in the names and forms of Apache's own tools (MessageDecoder). `file`: name of its file. */
export function frameFields(frame: DescribedFrame, file: string): Readonly<Record<string, unknown>> {
  const { kind, offset } = frame
  if (kind === 'blank') return { physicalOffset: offset, file, size: frame.size, magic: MAGIC_BLANK, kind }
  const { record } = frame
  return {
    physicalOffset: offset,
    file,
    size: record.size,
    magic: record.version === 1 ? MAGIC_V1 : MAGIC_V2,
    kind,
    consumed: record.size,
    bodyCRC: record.bodyCrc,
    queueId: record.queueId,
    flag: record.flag,
    queueOffset: record.queueOffset,
    commitLogOffset: record.physicalOffset,
    sysFlag: record.sysFlag,
    bornTimestamp: record.bornTimestamp,
    bornHost: javaHost(record.bornHost),
    storeTimestamp: record.storeTimestamp,
    storeHost: javaHost(record.storeHost),
    reconsumeTimes: record.reconsumeTimes,
    preparedTransactionOffset: record.preparedTransactionOffset,
    topic: record.topic,
    msgId: encodeOffsetMessageId(record.storeHost, record.physicalOffset),
    storeSize: record.size,
    bodyLength: record.body.length,
    bodyBase64: record.body.toString('base64'),
    propertiesString: record.properties,
    properties: Object.fromEntries(decodeProperties(record.properties)),
  }
}

/** As Java prints an address: eight groups for IPv6, none left out. */
function javaHost({ ip, port }: Host): string {
  if (!ip.includes(':')) return `${ip}|${port}`
  const [before = '', after] = ip.split('::')
  const head = before === '' ? [] : before.split(':')
  const tail = after === undefined || after === '' ? [] : after.split(':')
  const zeros = after === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return `${[...head, ...zeros, ...tail].join(':')}|${port}`
}
