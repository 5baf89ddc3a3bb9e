import type { Files } from '@tandemmq/base'
import { inspectJournal } from '@tandemmq/metadata'
import { note, problem, type Finding } from './finding.ts'
import type { StoredLog } from './stored-log.ts'

/** Our progress journal: a broker does not start where it is damaged below what was on disk. */
export function* checkJournal(files: Files, root: string, log: StoredLog): Generator<Finding> {
  const journal = inspectJournal(files, root)
  if (journal === undefined) return
  const { file, problem: damage, tornAt, endsCleanly } = journal
  if (damage !== undefined) {
    yield problem(file, damage.at, damage.why)
    return
  }
  if (tornAt !== undefined) {
    const what = 'the journal ends torn; what lies here was not promised to anyone, and a start leaves it out'
    yield (log.isOpen ? note : problem)(file, tornAt, what)
  } else if (!endsCleanly && !log.isOpen) {
    yield note(file, 0, 'the journal lacks its end: what was acknowledged last is delivered again')
  }
}
