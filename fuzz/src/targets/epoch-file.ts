import { crc32m, decodeEpochFile, encodeEpochFile } from '@tandemmq/codec'
import { claim, claimSame } from '../engine/claim.ts'
import { attempt } from '../engine/refusal.ts'
import type { Target, Verdict } from '../target.ts'

/** Apache's `epochFileCheckpoint`: text with a count and a checksum. */
export const epochFile: Target = {
  name: 'epoch-file',
  holds:
    'refused with STATE_FILE_CORRUPT, or ascending entries that encode to a file that decodes to the same',
  run(input) {
    const text = input.toString('utf8')
    const verdict = read(text)
    read(sealed(text))
    return verdict
  },
}

function read(text: string): Verdict {
  const decoded = attempt(['STATE_FILE_CORRUPT'], () => decodeEpochFile(text))
  if ('refusal' in decoded) return 'refused'
  const entries = decoded.value
  for (const [index, { epoch, start }] of entries.entries()) {
    const before = entries[index - 1]
    claim(epoch >= 0 && start >= 0 && Number.isSafeInteger(start), `epoch ${epoch} at ${start}`)
    claim(before === undefined || (before.epoch < epoch && before.start < start), 'entries ascend')
  }
  claimSame(decodeEpochFile(encodeEpochFile(entries)), entries, 'the same entries come back')
  return 'taken'
}

/** The same lines with the count and the checksum that they should have. */
function sealed(text: string): string {
  const lines = text
    .split('\n')
    .slice(2)
    .filter((line) => line !== '')
  const body = lines.map((line) => `${line}\n`).join('')
  return `${lines.length}\n${crc32m(body)}\n${body}`
}
