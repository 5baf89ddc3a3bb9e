import type { Files } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'
import { readLineage, readPosition, type Position } from '@tandemmq/storage'
import type { Finding } from '../finding.ts'
import { StoredLog } from '../stored-log.ts'
import { checkStore, emptySummary } from '../verify.ts'

/** What is known of a store before anything is planned. */
export interface Survey {
  readonly root: string
  readonly findings: readonly Finding[]
  /** Start of the first file, and where the last record ends. */
  readonly first: number
  readonly end: number
  /** The end as it was on disk once; not below {@link end}. */
  readonly endOnFile: number
  readonly segmentBytes: number
  readonly isOurs: boolean
  readonly isOpen: boolean
  /** Our position file, or its copy. */
  readonly position: Position | undefined
  readonly lineage: Lineage | undefined
}

/** Throws `ILLEGAL_ARGUMENT` for a directory that holds no store. */
export function surveyStore(files: Files, root: string): Survey {
  using log = new StoredLog(files, root)
  const findings = [...checkStore(files, root, log, emptySummary())]
  const position = firstReadable(['position', 'position.bak'], (name) =>
    files.exists(`${root}/${name}`) ? readPosition(files, root, name) : undefined,
  )
  const lineage = firstReadable(['epochOpeners', 'epochOpeners.bak'], (name) =>
    readLineage(files, root, name),
  )
  const { first, end, segmentBytes, isOpen } = log
  const isOurs = log.isOurs || lineage !== undefined
  const endOnFile = Math.max(end, position?.flushed ?? 0, position?.cleanEnd ?? 0)
  return { root, findings, first, end, endOnFile, segmentBytes, isOurs, isOpen, position, lineage }
}

function firstReadable<T>(names: readonly string[], read: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    try {
      const value = read(name)
      if (value !== undefined) return value
    } catch {
      // The survey's findings tell that.
    }
  }
  return undefined
}
