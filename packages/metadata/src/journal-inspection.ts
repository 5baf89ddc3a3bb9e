import { BrokerError, type Files } from '@tandemmq/base'
import { FieldReader } from '@tandemmq/codec'
import { decodeChange } from './change-decoding.ts'
import { FileNotes } from './file-notes.ts'
import { scanJournal } from './journal-replay.ts'
import { JOURNAL_TAGS } from './journal-tags.ts'
import { JOURNAL_FILE } from './journal.ts'

/** What is known of a store's progress journal from outside. */
export interface JournalInspection {
  /** Path below the store's directory. */
  readonly file: string
  /** What would stop a broker, and where; `undefined`: nothing. */
  readonly problem: { readonly at: number; readonly why: string } | undefined
  /** Where a tail begins that was never synced, and is torn; a start leaves it out. */
  readonly tornAt: number | undefined
  /** It ends as a clean stop leaves it. */
  readonly endsCleanly: boolean
}

/** Reads the journal of the store in `root` as a start would, and changes nothing. `undefined`: there is none. */
export function inspectJournal(files: Files, root: string): JournalInspection | undefined {
  const file = `journal/${JOURNAL_FILE}`
  const path = `${root}/${file}`
  let at = 0
  try {
    const content = scanJournal(path, files)
    if (content === undefined) return undefined
    const notes = new FileNotes()
    for (const record of content.records) {
      at = record.at
      if (record.tag === JOURNAL_TAGS.start) epochIn(record.payload)
      if (record.tag === JOURNAL_TAGS.fileNote) notes.replay(record.payload)
      if (record.tag === JOURNAL_TAGS.change) decodeChange(record.payload)
    }
    return {
      file,
      problem: undefined,
      tornAt: content.tornBytes > 0 ? content.end : undefined,
      endsCleanly: content.records.at(-1)?.tag === JOURNAL_TAGS.witness,
    }
  } catch (failure) {
    if (!(failure instanceof BrokerError)) throw failure
    const where = failure.facts['at']
    const problem = { at: typeof where === 'number' ? where : at, why: failure.message }
    return { file, problem, tornAt: undefined, endsCleanly: false }
  }
}

/** The process epoch that a journal's first record names. */
export function epochIn(payload: Buffer): number {
  const reader = new FieldReader(payload, 'start of the journal')
  while (reader.next()) if (reader.tag === 1) return reader.number()
  throw new BrokerError('STATE_FILE_CORRUPT', 'the journal does not say which process wrote it')
}
