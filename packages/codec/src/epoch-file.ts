import { BrokerError, invariant, type LogOffset } from '@tandemmq/base'
import { crc32m } from './crc32m.ts'

/** An epoch as Apache's file has it; {@link Epoch} adds who opened it, from a file of our own. */
export interface EpochEntry {
  readonly epoch: number
  readonly start: LogOffset
}

/**
 * The text of `epochFileCheckpoint` (RocketMQ EpochFileCache): how many entries, the `crc32m` of the entries' lines
 * (0: not to be checked), then `epoch-start` per line. There is no file for an empty list.
 */
export function encodeEpochFile(entries: readonly EpochEntry[]): string {
  invariant(entries.length > 0, 'an empty epoch file is never written')
  const lines = entries.map(({ epoch, start }) => `${epoch}-${start}\n`).join('')
  return `${entries.length}\n${crc32m(lines)}\n${lines}`
}

/** Throws `STATE_FILE_CORRUPT`, saying what is wrong. */
export function decodeEpochFile(text: string): EpochEntry[] {
  const [count, checksum, ...lines] = text.split(/\r?\n/)
  while (lines.at(-1) === '') lines.pop()
  if (!number.test(count ?? '') || !number.test(checksum ?? '')) throw corrupt('has no head')
  if (Number(count) !== lines.length || lines.length === 0)
    throw corrupt('has another number of entries than it says')
  const stated = Number(checksum)
  const newLine = text.includes('\r\n') ? '\r\n' : '\n'
  if (stated !== 0 && stated !== crc32m(lines.map((line) => line + newLine).join(''))) {
    throw corrupt('has another checksum than it says')
  }
  const entries = lines.map(entryOf)
  const ascending = entries.every((entry, index) => {
    const before = entries[index - 1]
    return before === undefined || (before.epoch < entry.epoch && before.start < entry.start)
  })
  if (!ascending) throw corrupt('is not in ascending order')
  return entries
}

const number = /^\d{1,16}$/

function entryOf(line: string): EpochEntry {
  const [, epoch, start] = /^(\d{1,10})-(\d{1,16})$/.exec(line) ?? []
  const entry = { epoch: Number(epoch), start: Number(start) }
  if (!Number.isSafeInteger(entry.epoch) || !Number.isSafeInteger(entry.start))
    throw corrupt('has a bad entry')
  return entry
}

function corrupt(why: string): BrokerError {
  return new BrokerError('STATE_FILE_CORRUPT', `the epoch file ${why}`)
}
