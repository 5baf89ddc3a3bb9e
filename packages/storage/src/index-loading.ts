import type { LogOffset, Logger } from '@tandemmq/base'
import type { IndexFiles, SealedIndex } from './index-files.ts'
import type { IndexInventory } from './index-names.ts'
import { readIndexHead, replayIndexFile, trailingEntries, type StoreTimeAt } from './index-replay.ts'
import { IndexTable } from './index-table.ts'

/** How far the index files can be believed. */
export interface IndexTrust {
  /** The last stop was clean: every file is as it should be. */
  readonly isClean: boolean
  /** Entries of records below are on file, if their file is. */
  readonly synced: LogOffset
  /** Full files that end no later were synced, ms (Apache's checkpoint); 0 if that is not known. */
  readonly sealedUntil: number
  /** Where the log begins. */
  readonly logFirst: LogOffset
}

/** What is left of the index on disk. */
export interface LoadedIndex {
  readonly sealed: SealedIndex[]
  /** The file that is not full, or whose slots are not on file yet. */
  readonly live: IndexTable | undefined
  /** How many entries at the end are those of the last record; more than it has keys: it is indexed as a whole. */
  readonly lastEntries: number
  /** From where on records have to be indexed again; `undefined`: nothing below the synced position lacks. */
  readonly resumeAt: LogOffset | undefined
}

/**
 * Finds out what the index files hold, and removes what cannot be believed: files that follow a missing one, or one of
 * another shape, and entries that were not synced before a crash.
 */
export async function loadIndex(
  files: IndexFiles,
  inventory: IndexInventory | undefined,
  trust: IndexTrust,
  storeTimeAt: StoreTimeAt,
  logger: Logger,
): Promise<LoadedIndex> {
  const { geometry } = files
  const names = files.names()
  let isWhole = inventory !== undefined
  let isLastWhole = trust.isClean
  const dropFrom = (name: string, why: string): void => {
    const dropped = names.splice(names.findIndex((candidate) => candidate >= name))
    logger.warn(
      { why, from: name, files: dropped.length },
      'index files cannot be used; they are built again',
    )
    for (const gone of dropped) files.remove(gone)
    isWhole = false
    isLastWhole = false // Its other keys may have been in the file that is gone.
  }

  const [oldest] = names
  const otherShape =
    inventory !== undefined && (inventory.slots !== geometry.slots || inventory.entries !== geometry.entries)
  const missing = inventory?.names.find((name) => !names.includes(name))
  if (oldest !== undefined && otherShape) dropFrom(oldest, 'they were written with another shape')
  else if (missing !== undefined) {
    isWhole = false
    isLastWhole = false
    if (names.some((name) => name > missing)) dropFrom(missing, `${missing} is missing`)
  }
  const foreign = names.find((name, index) => index < names.length - 1 && !files.hasLength(name))
  if (foreign !== undefined) dropFrom(foreign, `${foreign} has another length than configured`)

  let live: IndexTable | undefined
  for (let last = names.at(-1); last !== undefined && live === undefined; last = names.at(-1)) {
    const header = files.headerOf(last)
    const isFull = header.indexCount === geometry.entries
    const believed = trust.isClean || (isFull && header.endTimestamp <= trust.sealedUntil)
    const head = believed && files.hasLength(last) ? readIndexHead(files.reading(last), geometry) : undefined
    if (head !== undefined) {
      if (isFull) break
      live = new IndexTable(files.directory, last, geometry, header, head, true)
      continue
    }
    isLastWhole = false
    const name = last
    const limit = trust.isClean ? Infinity : trust.synced
    const replay = await files.changing(name, (file) => replayIndexFile(file, geometry, limit, storeTimeAt))
    if (replay.isDamaged || trust.isClean) isWhole = false
    if (replay.header.indexCount > 1)
      live = new IndexTable(files.directory, name, geometry, replay.header, replay.head)
    else {
      names.pop()
      files.remove(name)
    }
  }

  const sealed: SealedIndex[] = []
  let end = -1
  for (const name of live === undefined ? names : names.slice(0, -1)) {
    const header = files.headerOf(name)
    if (header.indexCount !== geometry.entries || header.beginPhyOffset < end || header.endPhyOffset < end) {
      live = undefined
      dropFrom(name, `${name} is damaged`)
      break
    }
    sealed.push({ name, header })
    end = header.endPhyOffset
  }
  end = live?.header.endPhyOffset ?? end
  const isEmpty = live === undefined && sealed.length === 0
  return {
    sealed,
    live,
    lastEntries: isLastWhole ? Infinity : lastEntriesOf(files, sealed, live, end),
    resumeAt: isWhole ? undefined : isEmpty ? trust.logFirst : end,
  }
}

function lastEntriesOf(
  files: IndexFiles,
  sealed: readonly SealedIndex[],
  live: IndexTable | undefined,
  end: LogOffset,
): number {
  let found = 0
  for (const { name, header } of [...sealed, ...(live === undefined ? [] : [live])].toReversed()) {
    const here = trailingEntries(files.reading(name), files.geometry, header.indexCount, end)
    found += here
    if (here < header.indexCount - 1) break
  }
  return found
}
