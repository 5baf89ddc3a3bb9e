import { BrokerError, type Files, type LogOffset } from '@tandemmq/base'
import { logFileName, positionOfLogFile } from './log-file-name.ts'

/**
 * Makes the log end at `end`, durably: the rest of its segment reads as zeros, later segments are gone. A mark at the
 * cut would not do: with records of equal size, a torn rewrite realigns with old records that are valid.
 * Returns whether anything of the log remains.
 */
export async function cutLog(
  files: Files,
  directory: string,
  end: LogOffset,
  segmentBytes: number,
): Promise<boolean> {
  let remains = false
  // The last file first, each on its own: wherever a crash interrupts this, no file is left behind a gap.
  for (const name of files.list(directory).toReversed()) {
    const start = positionOfLogFile(name)
    if (start === undefined) continue
    if (start < end) remains = true
    if (start + segmentBytes <= end) continue
    const path = `${directory}/${logFileName(start)}`
    if (start >= end) {
      files.remove(path)
      await files.syncDirectory(directory)
    } else {
      const file = files.open(path, 'read-write')
      try {
        file.truncate(end - start)
        await file.dataSync()
        file.truncate(segmentBytes)
        await file.dataSync()
      } finally {
        file.close()
      }
    }
  }
  await files.syncDirectory(directory)
  return remains
}

/** Throws `ILLEGAL_ARGUMENT` for a place at which a log that has [`min`, `end`) cannot be cut. */
export function demandInLog(offset: LogOffset, min: LogOffset, end: LogOffset): void {
  if (offset >= min && offset <= end) return
  throw new BrokerError('ILLEGAL_ARGUMENT', `cannot cut at ${offset}: the log has [${min}, ${end})`)
}
