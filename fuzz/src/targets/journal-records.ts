import {
  JOURNAL_RECORD_OVERHEAD,
  encodeJournalRecord,
  findJournalRecord,
  scanJournalRecord,
} from '@tandemmq/codec'
import { claim, claimSame } from '../engine/claim.ts'
import { attempt } from '../engine/refusal.ts'
import { sealedJournal } from '../seeds/sealed-journal.ts'
import type { Target, Verdict } from '../target.ts'

/** A journal file, record after record. */
export const journalRecords: Target = {
  name: 'journal-records',
  holds:
    'a record, the end, or unsound with a reason; only a sound record of a later version throws; what is sound encodes to the same bytes',
  run(input) {
    const verdict = scan(input)
    scan(sealedJournal(input))
    return verdict
  },
}

function scan(input: Buffer): Verdict {
  let records = 0
  for (let at = 0; at < input.length;) {
    const place = at
    const scanned = attempt(['STATE_FILE_CORRUPT'], () => scanJournalRecord(input, place))
    if ('refusal' in scanned || scanned.value.kind !== 'record') {
      const next = findJournalRecord(input, at + 1)
      claim(next === -1 || next > at, 'the search goes onwards')
      if (next === -1) break
      at = next
      continue
    }
    const { record, size } = scanned.value
    claim(size === record.payload.length + JOURNAL_RECORD_OVERHEAD, 'a record is as long as its payload says')
    claim(at + size <= input.length, 'a record ends where there is nothing')
    claim(Number.isSafeInteger(record.durable) && record.durable >= 0, `durable is ${record.durable}`)
    const isCanonical = input.readUInt16BE(at + 6) === 0
    if (isCanonical) {
      const bytes = input.subarray(at, at + size).toString('hex')
      claimSame(encodeJournalRecord(record).toString('hex'), bytes, 'a record encodes to its bytes')
    }
    records += 1
    at += size
  }
  return records > 0 ? 'taken' : 'refused'
}
