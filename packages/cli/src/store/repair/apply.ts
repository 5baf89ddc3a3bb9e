import { unreachable, type Files } from '@tandemmq/base'
import { encodeEpochFile } from '@tandemmq/codec'
import { orderCut, replaceStateFile } from '@tandemmq/storage'
import { StoredFile } from '../stored-file.ts'
import { StoredLog } from '../stored-log.ts'
import { fetchRange } from './fetched-range.ts'
import { openOnce } from './open-once.ts'
import type { StoreShape } from './store-shape.ts'
import { putBackForeignQueues } from './foreign-queues.ts'
import type { RangeSource } from './range-source.ts'
import type { RepairStep } from './repair-step.ts'
import type { SavedFiles } from './saved-files.ts'
import type { Survey } from './survey.ts'

export interface RepairMeans {
  readonly saved: SavedFiles
  readonly source: RangeSource | undefined
  readonly shape: StoreShape
}

/** Carries out the steps of a plan, in order; `tell` hears of each before it begins. */
export async function applyRepair(
  files: Files,
  survey: Survey,
  steps: readonly RepairStep[],
  { saved, source, shape }: RepairMeans,
  tell: (number: number) => void,
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    tell(index + 1)
    if (step.kind === 'open') await openOnce(files, survey, shape)
    else await applyStep(files, survey, step, saved, source)
  }
  if (steps.some((step) => step.kind === 'rebuild' && step.what === 'consumequeue')) {
    await putBackForeignQueues(files, survey.root, saved)
  }
}

async function applyStep(
  files: Files,
  survey: Survey,
  step: Exclude<RepairStep, { kind: 'open' }>,
  saved: SavedFiles,
  source: RangeSource | undefined,
): Promise<void> {
  const { root } = survey
  switch (step.kind) {
    case 'length':
      return setLength(files, root, step, saved)
    case 'fetch': {
      if (source === undefined) return
      using log = new StoredLog(files, root)
      const { first, endOnFile: end, segmentBytes, lineage } = survey
      const read = (offset: number, length: number): Buffer => log.read(offset, length)
      const store = { root, first, end, segmentBytes, lineage, read }
      return fetchRange(files, store, step, source, saved)
    }
    case 'cut': {
      const { first: minOffset, segmentBytes } = survey
      using log = new StoredLog(files, root)
      await saved.copyLog(step.at, Infinity, log.starts, segmentBytes)
      return orderCut(files, root, step.at, { minOffset, segmentBytes, isLoss: step.isLoss })
    }
    case 'restore': {
      await saved.copy(step.file)
      using copy = new StoredFile(files, `${root}/${step.file}.bak`)
      return replaceStateFile(files, `${root}/${step.file}`, copy.read(0, copy.bytes), true)
    }
    case 'restore-position':
      return saved.copy('position') // Whoever opens the store reads the copy, and writes a new file.
    case 'rewrite-epochs': {
      const path = 'epochFileCheckpoint'
      await saved.copy(path)
      const epochs = survey.lineage?.epochs ?? []
      return replaceStateFile(files, `${root}/${path}`, Buffer.from(encodeEpochFile(epochs)), true)
    }
    case 'set-aside':
      return saved.move(step.file)
    case 'rebuild':
      return saved.move(step.what)
    default:
      return unreachable(step)
  }
}

async function setLength(
  files: Files,
  root: string,
  { file: path, to }: { readonly file: string; readonly to: number },
  saved: SavedFiles,
): Promise<void> {
  await saved.copy(path)
  const file = files.open(`${root}/${path}`, 'read-write')
  try {
    file.truncate(to)
    await file.dataSync()
  } finally {
    file.close()
  }
}
