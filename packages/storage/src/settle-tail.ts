import { BrokerError, type Files, type LogOffset } from '@tandemmq/base'
import { cutLog } from './log-cut.ts'
import { logFileName } from './log-file-name.ts'
import { lastWritten, type LogScanResult } from './log-scan.ts'
import { repairHint } from './repair-hint.ts'
import type { SegmentReader } from './segment-reader.ts'

/**
 * Decides what lies behind the last whole record, and cuts it off; returns how many bytes that were. `known`: so much was on stable storage; `remainsMax`: a torn write has left
 * no more than that. Throws `LOG_CORRUPT` where bytes below `known` are damaged.
 */
export async function settleTail(
  files: Files,
  reader: SegmentReader,
  scan: LogScanResult,
  known: LogOffset,
  remainsMax: number,
): Promise<number> {
  const { end } = scan
  if (scan.stop === 'end-of-files') return 0
  const last = await lastWritten(reader, end, end < known ? Infinity : remainsMax)
  const laterSegments = reader.starts.filter((start) => start > end)
  const hasRemains = last > end
  // Zeros where bytes should be are a shorter log (loss, rule 3.1); other bytes are damage to what was safe.
  if (end < known && hasRemains) {
    throw new BrokerError(
      'LOG_CORRUPT',
      `the commit log is damaged at ${end} (${fileOf(reader, end)}); it was on disk up to ${known}; ${repairHint(reader.directory)}`,
      {
        facts: { offset: end, flushed: known },
      },
    )
  }
  if (!hasRemains && laterSegments.length === 0) return 0
  let cut = last
  for (const start of laterSegments) {
    const written = await lastWritten(reader, start, end < known ? Infinity : remainsMax)
    if (written === start) continue
    if (end < known && start < known) {
      throw new BrokerError(
        'LOG_CORRUPT',
        `the commit log has a hole at ${end} (${fileOf(reader, end)}); it was on disk up to ${known}; ${repairHint(reader.directory)}`,
        {
          facts: { offset: end, flushed: known },
        },
      )
    }
    cut = written
  }
  await cutLog(files, reader.directory, end, reader.limits.segmentBytes)
  return cut - end
}

/** Puts the files that hold [`from`, `end`) on disk, at the length that readers count on: a crash may have taken that. */
export async function syncSegments(
  files: Files,
  reader: SegmentReader,
  from: LogOffset,
  end: LogOffset,
): Promise<void> {
  for (const start of reader.starts) {
    if (start + reader.limits.segmentBytes <= from || start >= end) continue
    const file = files.open(`${reader.directory}/${logFileName(start)}`, 'read-write')
    try {
      if (file.size() < reader.limits.segmentBytes) file.truncate(reader.limits.segmentBytes)
      await file.dataSync()
    } finally {
      file.close()
    }
  }
  await files.syncDirectory(reader.directory)
}

function fileOf(reader: SegmentReader, offset: LogOffset): string {
  const start = reader.segmentStart(offset)
  return `byte ${offset - start} of ${reader.directory}/${logFileName(start)}`
}
