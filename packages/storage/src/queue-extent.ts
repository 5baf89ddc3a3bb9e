import { BrokerError, type LogOffset } from '@tandemmq/base'
import { UNIT_BYTES, decodeUnit, isFillerUnit } from '@tandemmq/codec'
import type { ConsumeQueueFiles } from './consume-queue-files.ts'
import type { QueueExtent } from './consume-queue.ts'
import { logFileName, positionOfLogFile } from './log-file-name.ts'

/** How far the files of consume queues can be believed. */
export interface QueueTrust {
  /** Power may have gone: of what was not synced, any part may be missing or torn. */
  readonly pagesMayBeLost: boolean
  /** Units of records below were synced. */
  readonly synced: LogOffset
}

/** Finds out what a queue's directory holds, and cuts off what cannot be believed. `undefined`: nothing. */
export function readQueueExtent(
  files: ConsumeQueueFiles,
  directory: string,
  trust: QueueTrust,
): QueueExtent | undefined {
  const starts = listStarts(files, directory)
  if (starts.length === 0) return undefined
  const end = trust.pagesMayBeLost
    ? believedEnd(files, directory, starts, trust.synced)
    : writtenEnd(files, directory, starts)
  if (trust.pagesMayBeLost) files.cutAll(directory, end * UNIT_BYTES)
  if (end === 0) return undefined
  const first = firstOfRun(files, starts, end * UNIT_BYTES) / UNIT_BYTES
  return { first, min: first, end }
}

function listStarts(files: ConsumeQueueFiles, directory: string): number[] {
  const starts: number[] = []
  for (const name of files.list(directory)) {
    const start = positionOfLogFile(name)
    if (start === undefined) continue
    if (start % files.fileBytes !== 0) {
      throw new BrokerError('STORE_FOREIGN', `${directory} was written with another length of queue files`, {
        facts: { directory, name, consumeQueueFileBytes: files.fileBytes },
      })
    }
    starts.push(start)
    files.demandLength(`${directory}/${name}`)
  }
  return starts
}

/** A gap ends what can be addressed by position: only the files behind the last one before `end` count. */
function firstOfRun(files: ConsumeQueueFiles, starts: readonly number[], end: number): number {
  const used = starts.filter((start) => start < end || start === starts[0])
  const gap = used.findLastIndex((start, index) => index > 0 && used[index - 1] !== start - files.fileBytes)
  return used[Math.max(gap, 0)] ?? 0
}

/** Most queues of a store with very many are short: their end is found in one read of this size. */
const SHORT_BYTES = 200 * UNIT_BYTES

/** Units are written in order, so in the last file they end at the first position without one: binary search. */
function writtenEnd(files: ConsumeQueueFiles, directory: string, starts: readonly number[]): number {
  const last = starts.at(-1) ?? 0
  const path = `${directory}/${logFileName(last)}`
  files.extend(path)
  const block = Buffer.alloc(Math.min(SHORT_BYTES, files.fileBytes))
  files.read(path, block, 0)
  for (let at = 0; at < block.length; at += UNIT_BYTES) {
    if (decodeUnit(block, at) === undefined) return (last + at) / UNIT_BYTES
  }
  const bytes = Buffer.alloc(UNIT_BYTES)
  let low = block.length / UNIT_BYTES
  let high = files.fileBytes / UNIT_BYTES
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    files.read(path, bytes, middle * UNIT_BYTES)
    if (decodeUnit(bytes, 0) === undefined) high = middle
    else low = middle + 1
  }
  return last / UNIT_BYTES + low
}

/**
 * What was synced is a prefix whose units ascend and point below `synced`. The first unit that breaks this, torn or
 * lost or merely newer, ends it; newer ones are dispatched again from the log. A file without any such unit may be a
 * survivor whose predecessors are lost: its name says nothing.
 */
function believedEnd(
  files: ConsumeQueueFiles,
  directory: string,
  starts: readonly number[],
  synced: LogOffset,
): number {
  for (const start of starts.toReversed()) {
    const path = `${directory}/${logFileName(start)}`
    files.extend(path)
    const count = believedUnits(files, path, synced)
    if (count > 0) return start / UNIT_BYTES + count
  }
  return 0
}

const BLOCK_BYTES = 3200 * UNIT_BYTES

function believedUnits(files: ConsumeQueueFiles, path: string, synced: LogOffset): number {
  const block = Buffer.alloc(Math.min(BLOCK_BYTES, files.fileBytes))
  let before = -1
  for (let position = 0; position < files.fileBytes; position += block.length) {
    const read = files.read(path, block, position)
    for (let at = 0; at + UNIT_BYTES <= read; at += UNIT_BYTES) {
      const unit = decodeUnit(block, at)
      if (unit === undefined) return (position + at) / UNIT_BYTES
      if (isFillerUnit(unit)) continue
      if (unit.offset <= before || unit.offset + unit.size > synced) return (position + at) / UNIT_BYTES
      before = unit.offset
    }
  }
  return files.fileBytes / UNIT_BYTES
}
