import { messageOf, type Files } from '@tandemmq/base'
import { decodeEpochFile, type Lineage } from '@tandemmq/codec'
import { readLineage, readPosition } from '@tandemmq/storage'
import { note, problem, type Finding } from './finding.ts'
import { StoredFile } from './stored-file.ts'
import type { StoredLog } from './stored-log.ts'

/** The log's ancestry in our file and in Apache's, and the log's id beside it. */
export function* checkLineage(files: Files, root: string, log: StoredLog): Generator<Finding> {
  let lineage: Lineage | undefined
  const path = 'epochOpeners'
  const logId = logIdOnFile(files, root)
  try {
    lineage = readLineage(files, root)
  } catch (failure) {
    yield problem(path, 0, messageOf(failure))
  }
  if (logId !== undefined && !files.exists(`${root}/${path}`)) {
    yield problem(path, 0, 'the file is missing; the position file names the log it belongs to')
  }
  if (logId !== undefined && lineage !== undefined && lineage.logId !== logId) {
    yield problem(
      path,
      0,
      `the epochs are those of the log ${lineage.logId}, the position file is that of ${logId}`,
    )
  }
  for (const { epoch, start } of lineage?.epochs ?? []) {
    if (start <= log.end || log.isOpen) continue
    yield problem(path, 0, `epoch ${epoch} begins at ${start}, the log ends at ${log.end}`)
  }
  yield* checkEpochFile(files, root, lineage)
  yield* checkCopy(files, root, path, () => readLineage(files, root, `${path}.bak`))
}

/** Apache's form of the same; a broker of Apache's writes it in controller mode only. */
function* checkEpochFile(files: Files, root: string, lineage: Lineage | undefined): Generator<Finding> {
  const path = 'epochFileCheckpoint'
  if (!files.exists(`${root}/${path}`)) {
    if ((lineage?.epochs.length ?? 0) > 0)
      yield problem(path, 0, 'the file is missing; epochOpeners has epochs')
    return
  }
  try {
    using file = new StoredFile(files, `${root}/${path}`)
    const entries = decodeEpochFile(file.read(0, file.bytes).toString())
    const ours = lineage?.epochs.map(({ epoch, start }) => `${epoch}-${start}`).join()
    const theirs = entries.map(({ epoch, start }) => `${epoch}-${start}`).join()
    if (ours !== undefined && ours !== '' && ours !== theirs) {
      yield problem(path, 0, `the epochs are ${theirs}; epochOpeners has ${ours}`)
    }
  } catch (failure) {
    yield problem(path, 0, messageOf(failure))
  }
}

/** A fallback copy is used only where its original is damaged; it is replaced with the next version. */
export function* checkCopy(
  files: Files,
  root: string,
  path: string,
  read: () => unknown,
): Generator<Finding> {
  const copy = `${path}.bak`
  if (!files.exists(`${root}/${copy}`)) return
  try {
    read()
  } catch (failure) {
    yield note(copy, 0, `the fallback copy cannot be used: ${messageOf(failure)}`)
  }
}

function logIdOnFile(files: Files, root: string): string | undefined {
  try {
    return files.exists(`${root}/position`) ? readPosition(files, root).logId : undefined
  } catch {
    return undefined // That is told by the check of the file itself.
  }
}
