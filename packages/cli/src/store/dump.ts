import type { Files } from '@tandemmq/base'
import { decodeProperties, encodeOffsetMessageId, type Host } from '@tandemmq/codec'
import type { Finding } from './finding.ts'
import { nameOf } from './stored-file.ts'
import { StoredLog, type LogPiece } from './stored-log.ts'

/** The whole log, one line per frame in the order of the log; places that cannot be read are told to `tell`. */
export function* dumpStore(
  files: Files,
  root: string,
  isJson: boolean,
  tell: (finding: Finding) => void,
): Generator<string> {
  using log = new StoredLog(files, root)
  for (const piece of log.pieces()) {
    if (piece.kind === 'finding') {
      tell(piece.finding)
      continue
    }
    const file = nameOf(log.startOf(piece.offset))
    yield isJson ? `${JSON.stringify(frameFields(piece, file))}\n` : `${frameLine(piece)}\n`
  }
}

type Frame = Exclude<LogPiece, { kind: 'finding' }>

/** Names and forms of Apache's own tools. */
function frameFields(frame: Frame, file: string): Readonly<Record<string, unknown>> {
  const { kind, offset } = frame
  if (kind === 'blank') return { physicalOffset: offset, file, size: frame.size, magic: frame.magic, kind }
  const { record, bytes } = frame
  return {
    physicalOffset: offset,
    file,
    size: record.size,
    magic: bytes.readInt32BE(4),
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

function frameLine(frame: Frame): string {
  if (frame.kind === 'blank') return `${frame.offset} blank, ${frame.size} bytes up to the end of the file`
  const { topic, queueId, queueOffset, size, body, storeTimestamp, properties } = frame.record
  const time = new Date(storeTimestamp).toISOString()
  const shown = [...decodeProperties(properties)].map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `${frame.offset} ${time} ${topic}/${queueId} #${queueOffset}, ${size} bytes, body ${body.length}: ${shown.join(' ')}`
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
