import type { Files, LogOffset } from '@tandemmq/base'
import { cutLog } from './log-cut.ts'
import { PositionFile, positionCutAt } from './position-file.ts'

/**
 * Has the log end at `offset`, for who repairs a store that no process has open; the caller has saved what lies behind. `isLoss`: there are records
 * behind; in a store of ours the next opening carries the cut out, and knows from then on that the tail may be lost (rule 3.1). Durable when it resolves.
 * Throws `STATE_FILE_CORRUPT`.
 */
export async function orderCut(
  files: Files,
  root: string,
  offset: LogOffset,
  log: { readonly minOffset: LogOffset; readonly segmentBytes: number; readonly isLoss: boolean },
): Promise<void> {
  const { minOffset, segmentBytes } = log
  const { file: position, found } = PositionFile.load(files, `${root}/position`)
  if (found === 'nothing' || !log.isLoss) {
    await cutLog(files, `${root}/commitlog`, offset, segmentBytes)
    return
  }
  const segmentStart = offset - (offset % segmentBytes)
  await position.save({
    ...positionCutAt(position.value, offset, minOffset, segmentStart),
    lossPossible: true,
  })
}
