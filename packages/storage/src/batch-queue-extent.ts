import { BrokerError } from '@tandemmq/base'
import { BATCH_UNIT_BYTES, decodeBatchUnit } from '@tandemmq/codec'
import type { ConsumeQueueFiles } from './consume-queue-files.ts'
import { logFileName, positionOfLogFile } from './log-file-name.ts'
import type { QueueTrust } from './queue-extent.ts'

/** Units on file: [first, end). */
export interface BatchExtent {
  readonly first: number
  readonly end: number
}

/** Finds out what a batch queue's directory holds, and cuts off what cannot be believed. `undefined`: nothing. */
export function readBatchExtent(
  files: ConsumeQueueFiles,
  directory: string,
  trust: QueueTrust,
): BatchExtent | undefined {
  const starts = startsIn(files, directory)
  const synced = trust.pagesMayBeLost ? trust.synced : Infinity
  for (const start of starts.toReversed()) {
    const path = `${directory}/${logFileName(start)}`
    files.extend(path)
    const count = believedUnits(files, path, synced)
    if (count === 0) continue
    const end = start + count * BATCH_UNIT_BYTES
    files.cutAll(directory, end)
    const used = starts.filter((each) => each <= start)
    const gap = used.findLastIndex((each, index) => index > 0 && used[index - 1] !== each - files.fileBytes)
    return { first: (used[Math.max(gap, 0)] ?? 0) / BATCH_UNIT_BYTES, end: end / BATCH_UNIT_BYTES }
  }
  files.cutAll(directory, 0)
  return undefined
}

function startsIn(files: ConsumeQueueFiles, directory: string): readonly number[] {
  const starts = files
    .list(directory)
    .map(positionOfLogFile)
    .filter((start) => start !== undefined)
  for (const start of starts) {
    if (start % files.fileBytes !== 0) {
      throw new BrokerError('STORE_FOREIGN', `${directory} was written with another length of queue files`, {
        facts: { directory, start, batchQueueFileBytes: files.fileBytes },
      })
    }
    files.demandLength(`${directory}/${logFileName(start)}`)
  }
  return starts
}

const BLOCK_BYTES = 1000 * BATCH_UNIT_BYTES

/** Units ascend and point below `synced`; the first that breaks this, torn or lost or merely newer, ends them. */
function believedUnits(files: ConsumeQueueFiles, path: string, synced: number): number {
  const block = Buffer.alloc(Math.min(BLOCK_BYTES, files.fileBytes))
  let offset = -1
  let next = 0
  for (let position = 0; position < files.fileBytes; position += block.length) {
    const read = files.read(path, block, position)
    for (let at = 0; at + BATCH_UNIT_BYTES <= read; at += BATCH_UNIT_BYTES) {
      const unit = decodeBatchUnit(block, at)
      const follows =
        unit !== undefined &&
        unit.offset > offset &&
        unit.baseOffset >= next &&
        unit.offset + unit.size <= synced
      if (!follows) return (position + at) / BATCH_UNIT_BYTES
      offset = unit.offset
      next = unit.baseOffset + unit.batchSize
    }
  }
  return files.fileBytes / BATCH_UNIT_BYTES
}
