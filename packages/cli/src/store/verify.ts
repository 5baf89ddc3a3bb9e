import type { Files } from '@tandemmq/base'
import { readPosition } from '@tandemmq/storage'
import { checkIndex } from './check-index.ts'
import { checkLog } from './check-log.ts'
import { checkQueues } from './check-queues.ts'
import { checkCheckpoint, checkPosition } from './check-state.ts'
import type { Finding } from './finding.ts'
import { StoredLog } from './stored-log.ts'

/** Of a store that is all wrong not every place is told. */
const TOLD_MAX = 1000

/** Checks everything in a store against everything else, and tells each problem. Returns the exit code: 1 if there is one. */
export function verifyStore(files: Files, root: string, write: (line: string) => void): number {
  using log = new StoredLog(files, root)
  const records = { records: 0, newestStoreTimestamp: 0 }
  const queues = { queues: 0, units: 0 }
  const index = { files: 0, entries: 0 }
  let problems = 0
  let told = 0
  const tell = (findings: Iterable<Finding>): void => {
    for (const { kind, file, at, what } of findings) {
      if (kind === 'problem') problems += 1
      told += 1
      if (told <= TOLD_MAX) write(`${kind}: ${file} at byte ${at}: ${what}`)
    }
  }
  tell(checkLog(log, flushedOf(files, root), records))
  tell(checkQueues(files, root, log, queues))
  tell(checkIndex(files, root, log, index))
  tell(checkCheckpoint(files, root, log, records))
  tell(checkPosition(files, root, log))
  if (told > TOLD_MAX) write(`… and ${told - TOLD_MAX} more`)
  if (log.isOpen) write('note: abort at byte 0: a process has this store open, or did not close it')
  write(
    `log [${log.first}, ${log.end}), ${records.records} records; ${queues.queues} queues, ${queues.units} units; ` +
      `${index.files} index files, ${index.entries} entries; ${problems === 0 ? 'nothing wrong' : `problems: ${problems}`}`,
  )
  return problems === 0 ? 0 : 1
}

/** What our position file says; 0 for a store of Apache's, which does not know. */
function flushedOf(files: Files, root: string): number {
  try {
    return files.exists(`${root}/position`) ? readPosition(files, root).flushed : 0
  } catch {
    return 0 // That is told by the check of the file itself.
  }
}
