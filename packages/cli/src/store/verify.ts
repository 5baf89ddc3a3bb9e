import type { Files } from '@tandemmq/base'
import { checkBatchQueues } from './check-batch-queues.ts'
import { checkConfig } from './check-config.ts'
import { checkDerived } from './check-derived.ts'
import { checkIndex } from './check-index.ts'
import { checkJournal } from './check-journal.ts'
import { checkLineage } from './check-lineage.ts'
import { checkLog, type LogSummary } from './check-log.ts'
import { checkQueues } from './check-queues.ts'
import { checkCheckpoint, checkPosition } from './check-state.ts'
import { checkTimer } from './check-timer.ts'
import type { Finding } from './finding.ts'
import { StoredLog, flushedOnFile } from './stored-log.ts'

/** Of a store that is all wrong not every place is told. */
const TOLD_MAX = 1000

/** What was looked at. */
export interface StoreSummary {
  readonly records: LogSummary
  readonly queues: { queues: number; units: number }
  readonly index: { files: number; entries: number }
}

export function emptySummary(): StoreSummary {
  return {
    records: { records: 0, newestStoreTimestamp: 0, queues: new Map(), batchTopics: new Set() },
    queues: { queues: 0, units: 0 },
    index: { files: 0, entries: 0 },
  }
}

/** Checks everything in a store against everything else; what it has looked at is added up in `summary`. */
export function* checkStore(
  files: Files,
  root: string,
  log: StoredLog,
  { records, queues, index }: StoreSummary,
): Generator<Finding> {
  yield* checkLog(log, flushedOnFile(files, root), records)
  yield* checkQueues(files, root, log, records, queues)
  yield* checkBatchQueues(files, root, log, queues)
  yield* checkIndex(files, root, log, index)
  yield* checkCheckpoint(files, root, log, records)
  yield* checkPosition(files, root, log)
  yield* checkLineage(files, root, log)
  yield* checkDerived(files, root, log)
  yield* checkTimer(files, root, log)
  yield* checkJournal(files, root, log)
  yield* checkConfig(files, root)
}

/** Tells each problem of a store. Returns the exit code: 1 if there is one. */
export function verifyStore(files: Files, root: string, write: (line: string) => void): number {
  using log = new StoredLog(files, root)
  const summary = emptySummary()
  let problems = 0
  let told = 0
  for (const { kind, file, at, what } of checkStore(files, root, log, summary)) {
    if (kind === 'problem') problems += 1
    told += 1
    if (told <= TOLD_MAX) write(`${kind}: ${file} at byte ${at}: ${what}`)
  }
  if (told > TOLD_MAX) write(`… and ${told - TOLD_MAX} more`)
  if (log.isOpen) write('note: abort at byte 0: a process has this store open, or did not close it')
  const { records, queues, index } = summary
  write(
    `log [${log.first}, ${log.end}), ${records.records} records; ${queues.queues} queues, ${queues.units} units; ` +
      `${index.files} index files, ${index.entries} entries; ${problems === 0 ? 'nothing wrong' : `problems: ${problems}`}`,
  )
  return problems === 0 ? 0 : 1
}
