import type { Files } from '@tandemmq/base'
import { StoredLog } from '../stored-log.ts'
import type { LogRange } from './log-damage.ts'

/** The range, widened to the records and blanks that it touches. */
export function wholeFrames(files: Files, root: string, { from, to }: LogRange): LogRange {
  using log = new StoredLog(files, root)
  const widened = { from, to }
  for (const piece of log.pieces()) {
    if (piece.kind === 'finding') continue
    const begin = piece.offset
    const end = begin + (piece.kind === 'blank' ? piece.size : piece.bytes.length)
    if (end <= from || begin >= to) continue
    widened.from = Math.min(widened.from, begin)
    widened.to = Math.max(widened.to, end)
  }
  return widened
}
