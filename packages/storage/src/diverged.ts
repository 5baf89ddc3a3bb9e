import type { Files, LogOffset } from '@tandemmq/base'
import type { CommitLog } from './commit-log.ts'
import { logFileName } from './log-file-name.ts'

const PIECE_BYTES = 1024 * 1024

/**
 * Saves the log's bytes [from, end) under `diverged/<from>-<end>-<wall ms>/`, in files named by the log offset of their
 * first byte, before they are cut off (rule 1.3). Durable when it resolves; returns the directory.
 */
export async function saveDiverged(
  files: Files,
  root: string,
  log: CommitLog,
  from: LogOffset,
  end: LogOffset,
  nowMs: number,
): Promise<string> {
  const above = `${root}/diverged`
  const directory = `${above}/${from}-${end}-${nowMs}`
  files.makeDirectory(directory)
  try {
    await copyInto(files, directory, log, from, end)
  } catch (failure) {
    // It is tried again: on a full disk, halves of copies would add up.
    for (const name of files.list(directory)) files.remove(`${directory}/${name}`)
    throw failure
  }
  for (const changed of [directory, above, root]) await files.syncDirectory(changed)
  return directory
}

async function copyInto(
  files: Files,
  directory: string,
  log: CommitLog,
  from: LogOffset,
  end: LogOffset,
): Promise<void> {
  for (let start = from; start < end;) {
    const to = Math.min(end, log.segmentStart(start) + log.segmentBytes)
    const file = files.open(`${directory}/${logFileName(start)}`, 'create')
    try {
      for (let at = start; at < to;) {
        const piece = log.read(at, Math.min(PIECE_BYTES, to - at))
        file.write(piece, at - start)
        at += piece.length
        // So much work in one piece is felt; a sync lets others in between.
        if ((at - start) % (8 * PIECE_BYTES) < piece.length) await file.dataSync()
      }
      await file.dataSync()
    } finally {
      file.close()
    }
    start = to
  }
}
