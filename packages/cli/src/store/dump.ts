import type { Files } from '@tandemmq/base'
import { decodeProperties, frameFields } from '@tandemmq/codec'
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

function frameLine(frame: Frame): string {
  if (frame.kind === 'blank') return `${frame.offset} blank, ${frame.size} bytes up to the end of the file`
  const { topic, queueId, queueOffset, size, body, storeTimestamp, properties } = frame.record
  const time = new Date(storeTimestamp).toISOString()
  const shown = [...decodeProperties(properties)].map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `${frame.offset} ${time} ${topic}/${queueId} #${queueOffset}, ${size} bytes, body ${body.length}: ${shown.join(' ')}`
}
