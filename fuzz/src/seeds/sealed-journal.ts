import { crc32 } from 'node:zlib'
import { JOURNAL_PAYLOAD_BYTES_MAX, JOURNAL_RECORD_OVERHEAD, findJournalRecord } from '@tandemmq/codec'

/** A journal with right checksums, as far as its lengths lead: what is behind that check is reached. */
export function sealedJournal(content: Buffer): Buffer {
  const bytes = Buffer.from(content)
  for (let at = findJournalRecord(bytes, 0); at !== -1;) {
    if (at + JOURNAL_RECORD_OVERHEAD > bytes.length) break
    const length = bytes.readUInt32BE(at + 16)
    const end = at + 20 + length
    if (length > JOURNAL_PAYLOAD_BYTES_MAX || end + 4 > bytes.length) break
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end)), end)
    at = findJournalRecord(bytes, end + 4)
  }
  return bytes
}
