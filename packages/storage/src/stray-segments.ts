import type { Files, Logger, LogOffset } from '@tandemmq/base'
import { logFileName, positionOfLogFile } from './log-file-name.ts'
import { endOnFile, type Position } from './position-file.ts'

/**
 * Removes files of the log that lie behind a gap, where nothing was on disk for certain: a power cut has kept their names and lost that of a file
 * before them. They are a torn tail as much as bytes behind a torn record are. A gap below what was on disk stays, to be refused.
 */
export async function removeStraySegments(
  files: Files,
  directory: string,
  position: Position,
  segmentBytes: number,
  logger: Logger,
): Promise<void> {
  const starts = files
    .list(directory)
    .map(positionOfLogFile)
    .filter((start): start is LogOffset => start !== undefined)
  const known = endOnFile(position)
  // As long as nothing was on disk, not even the first file is known to be there.
  let next = position.begin !== undefined && known <= position.begin ? position.begin : (starts[0] ?? 0)
  let sound = 0
  while (sound < starts.length && starts[sound] === next) {
    next += segmentBytes
    sound += 1
  }
  const strays = starts.slice(sound)
  if (strays.length === 0 || next < known || strays.some((start) => start % segmentBytes !== 0)) return
  logger.warn({ gapAt: next, files: strays.length }, 'files of the commit log behind a gap are removed')
  for (const start of strays.toReversed()) {
    files.remove(`${directory}/${logFileName(start)}`)
    await files.syncDirectory(directory)
  }
}
