import { BrokerError, messageOf, type Files, type Logger } from '@tandemmq/base'
import { findJournalRecord, scanJournalRecord } from '@tandemmq/codec'
import { JOURNAL_TAGS } from './journal-tags.ts'

/** Far beyond the length at which nothing new is handed out: acknowledgements go on past that. */
const FILE_BYTES_MAX = 512 * 1024 * 1024

export interface ReplayedRecord {
  /** Where it begins in the file. */
  readonly at: number
  readonly tag: number
  readonly payload: Buffer
}

/** What lies in a journal. */
export interface JournalContent {
  readonly records: readonly ReplayedRecord[]
  /** Behind the last record. */
  readonly end: number
  /** Bytes behind that: a tail that was never synced may be torn. */
  readonly tornBytes: number
}

/** As {@link scanJournal}; a torn tail is left out, and said. */
export function readJournal(
  path: string,
  files: Files,
  logger: Logger,
): readonly ReplayedRecord[] | undefined {
  const content = scanJournal(path, files)
  if (content !== undefined && content.tornBytes > 0) {
    logger.warn(
      { file: path, bytes: content.tornBytes },
      'the journal has a torn tail, which was never promised',
    )
  }
  return content?.records
}

/**
 * Reads a journal; undefined if there is none. Throws `STATE_FILE_CORRUPT` (facts `file`, `at`) if anything is unreadable that was once on
 * disk for certain.
 */
export function scanJournal(path: string, files: Files): JournalContent | undefined {
  if (!files.exists(path)) return undefined
  const bytes = contentOf(path, files)
  const records: ReplayedRecord[] = []
  let at = 0
  let hasSnapshot = false
  for (;;) {
    const scan = recordAt(path, bytes, at)
    if (scan.kind === 'end') break
    if (scan.kind === 'unsound') {
      if (!hasSnapshot || wasDurable(bytes, at)) throw corrupt(path, at, scan.why)
      break
    }
    const { tag, payload } = scan.record
    if (at === 0 && tag !== JOURNAL_TAGS.start)
      throw corrupt(path, at, 'it does not begin with its start record')
    if (tag === JOURNAL_TAGS.snapshotEnd) hasSnapshot = true
    records.push({ at, tag, payload })
    at += scan.size
  }
  if (!hasSnapshot) throw corrupt(path, at, 'its snapshot is not complete')
  return { records, end: at, tornBytes: bytes.length - at }
}

/** Whether a sound record further on testifies that the bytes at `at` were on disk. */
function wasDurable(bytes: Buffer, at: number): boolean {
  for (let next = findJournalRecord(bytes, at); next !== -1; next = findJournalRecord(bytes, next + 1)) {
    const scan = scanJournalRecord(bytes, next)
    if (scan.kind === 'record' && scan.record.durable > at) return true
  }
  return false
}

function recordAt(path: string, bytes: Buffer, at: number): ReturnType<typeof scanJournalRecord> {
  try {
    return scanJournalRecord(bytes, at)
  } catch (cause) {
    throw corrupt(path, at, messageOf(cause))
  }
}

function contentOf(path: string, files: Files): Buffer {
  const file = files.open(path, 'read')
  try {
    const size = file.size()
    if (size > FILE_BYTES_MAX) throw corrupt(path, 0, `it has ${size} bytes`)
    const bytes = Buffer.alloc(size)
    return bytes.subarray(0, file.read(bytes, 0))
  } finally {
    file.close()
  }
}

/** What is wrong with the journal at `path`, for an operator. */
export function corrupt(path: string, at: number, why: string): BrokerError {
  return new BrokerError('STATE_FILE_CORRUPT', `the journal ${path} is damaged at byte ${at}: ${why}`, {
    facts: { file: path, at },
  })
}
