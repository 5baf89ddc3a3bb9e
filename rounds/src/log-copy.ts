import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeRecord, scanFrame } from '@tandemmq/codec'
import { MESSAGE_BYTES_MAX, SEGMENT_BYTES } from './conf.ts'
import { numberOf } from './numbered-message.ts'

const LIMITS = { recordBytesMax: MESSAGE_BYTES_MAX + 64 * 1024, segmentBytes: SEGMENT_BYTES }

/** A numbered message in a commit log. */
export interface Stored {
  /** `undefined`: its body is none that was sent. */
  readonly number: number | undefined
  readonly queueId: number
  readonly queueOffset: number
}

/** The first `end` bytes of the commit log of the store in `directory`, from its files, which begin at 0. */
export function commitLogBytes(directory: string, end: number): Buffer {
  const files = join(directory, 'commitlog')
  const names = readdirSync(files).filter((name) => /^\d{20}$/.test(name))
  const pieces = names.toSorted().map((name, index) => {
    if (Number(name) !== index * SEGMENT_BYTES)
      throw new Error(`the log of ${directory} has a gap before ${name}`)
    return readFileSync(join(files, name))
  })
  const bytes = Buffer.concat(pieces).subarray(0, end)
  if (bytes.length < end) throw new Error(`the log of ${directory} has ${bytes.length} bytes, not ${end}`)
  return bytes
}

/** The messages of `topic` in a log, in order. Throws where no record is. */
export function messagesIn(log: Buffer, topic: string): readonly Stored[] {
  const messages: Stored[] = []
  for (let at = 0; at < log.length;) {
    const scan = scanFrame(log, at, LIMITS, at)
    if (scan.kind !== 'message' && scan.kind !== 'blank') throw new Error(`the log has ${scan.kind} at ${at}`)
    if (scan.kind === 'message') {
      const { topic: found, body, queueId, queueOffset } = decodeRecord(log, at)
      if (found === topic) messages.push({ number: numberOf(body), queueId, queueOffset })
    }
    at += scan.size
  }
  return messages
}

/** Where two logs of the same length differ first; -1: nowhere. */
export function firstDifference(one: Buffer, other: Buffer): number {
  if (one.equals(other)) return -1
  return one.findIndex((byte, index) => byte !== other[index])
}
