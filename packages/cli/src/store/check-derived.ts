import { messageOf, type Files } from '@tandemmq/base'
import { demandQueueEnds, readIndexInventory } from '@tandemmq/storage'
import { note, problem, type Finding } from './finding.ts'
import type { StoredLog } from './stored-log.ts'

/** What we write down about files that are derived from the log: which index files there are, where the queues ended. */
export function* checkDerived(files: Files, root: string, log: StoredLog): Generator<Finding> {
  try {
    demandQueueEnds(files, root)
  } catch (failure) {
    yield problem('queueEnds', 0, messageOf(failure))
  }
  if (log.isOurs && !log.isOpen && log.end > log.first && !files.exists(`${root}/queueEnds`)) {
    yield note('queueEnds', 0, 'the file is missing; the next clean stop writes it again')
  }
  try {
    const inventory = readIndexInventory(files, root)
    const there = new Set(files.list(`${root}/index`))
    const missing = inventory?.names.filter((name) => !there.has(name)) ?? []
    for (const name of missing) {
      if (!log.isOpen) yield problem(`index/${name}`, 0, 'the file is missing; indexFiles names it')
    }
    if (inventory === undefined && log.isOurs && there.size > 0 && !log.isOpen) {
      yield problem('indexFiles', 0, 'the file is missing; there is an index')
    }
  } catch (failure) {
    yield problem('indexFiles', 0, messageOf(failure))
  }
}
