import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { bodyCrcMatches, decodeRecord, scanFrame, type LogRecord } from '@tandemmq/codec'

/** What lies in a commit log's files. */
export interface LogContents {
  /** From the first file's start to the end of the last record, file for file. */
  readonly bytes: Buffer
  /** Offset of the first file. */
  readonly begin: number
  /** Behind the last record. */
  readonly end: number
  readonly records: readonly LogRecord[]
}

/** The bytes of a commit log's files from the first one on, preallocated ones included. */
export function readLogFiles(store: string): { readonly begin: number; readonly bytes: Buffer } {
  const directory = join(store, 'commitlog')
  if (!existsSync(directory)) return { begin: 0, bytes: Buffer.alloc(0) }
  const names = readdirSync(directory)
    .filter((name) => /^\d{20}$/.test(name))
    .toSorted()
  const bytes = Buffer.concat(names.map((name) => readFileSync(join(directory, name))))
  return { begin: Number(names[0] ?? 0), bytes }
}

/** Reads a commit log as files alone show it: no position, checkpoint or queue is asked. Throws where a record is damaged. */
export function readLog(store: string): LogContents {
  const { begin, bytes } = readLogFiles(store)
  const records: LogRecord[] = []
  let at = 0
  let end = 0
  while (at < bytes.length) {
    const frame = scanFrame(bytes, at, limits)
    if (frame.kind === 'empty') break
    if (frame.kind === 'blank') {
      at += frame.size
      continue
    }
    if (frame.kind !== 'message') throw new Error(`${store}: ${JSON.stringify(frame)} at ${begin + at}`)
    records.push(decodeRecord(bytes, at))
    at += frame.size
    end = at
  }
  return { bytes: bytes.subarray(0, end), begin, end: begin + end, records }
}

/**
 * The records from the first file's start to the first place that holds none: what a broker that begins with these files can make of them, whatever lies
 * behind. A body with a wrong checksum is such a place.
 */
export function soundRecords(store: string): readonly LogRecord[] {
  const { begin, bytes } = readLogFiles(store)
  const records: LogRecord[] = []
  let at = 0
  while (at < bytes.length) {
    const frame = scanFrame(bytes, at, limits, begin + at)
    if (frame.kind === 'message' && bodyCrcMatches(bytes, at)) records.push(decodeRecord(bytes, at))
    else if (frame.kind !== 'blank') break
    at += frame.size
  }
  return records
}

const limits = { recordBytesMax: 8 * 1024 * 1024, segmentBytes: 2 ** 31 - 1 }
