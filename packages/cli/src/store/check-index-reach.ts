import { indexKeysOf, propertyOf, type LogRecord } from '@tandemmq/codec'
import { indexedOf } from '@tandemmq/storage'
import { problem, type Finding } from './finding.ts'
import type { StoredLog } from './stored-log.ts'

/** So many records are looked at behind the last entry of a file. */
const RECORDS_MAX = 100_000

/**
 * Behind the last entry of an index file no record may have a key, up to where the next file begins (`to`): otherwise entries are missing.
 * @param path of the file, @param at where its next entry would be
 */
export function* checkReach(
  log: StoredLog,
  from: number,
  to: number,
  path: string,
  at: number,
): Generator<Finding> {
  let record = log.recordAt(from)
  for (let looked = 0; record !== undefined && looked < RECORDS_MAX; looked += 1) {
    const offset = nextOffset(log, record.physicalOffset + record.size)
    if (offset >= to) return
    record = log.recordAt(offset)
    if (record === undefined || !hasKeys(record)) continue
    yield problem(
      path,
      at,
      `the file ends with the record at ${from}; the one at ${offset} has keys and no entry`,
    )
    return
  }
}

/** Behind a blank comes the next file. */
function nextOffset(log: StoredLog, offset: number): number {
  const size = log.startOf(offset) === offset ? 0 : log.blankAt(offset)
  return offset + size
}

/** Before 5.5 Apache did not index tags. */
function hasKeys(record: LogRecord): boolean {
  if (indexedOf(record, record.physicalOffset) === undefined) return false
  const { topic, properties } = record
  const tag = propertyOf(properties, 'TAGS')
  return indexKeysOf(topic, properties).some((key) => key !== `${topic}#T#${tag}`)
}
