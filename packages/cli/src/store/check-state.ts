import { messageOf, type Files } from '@tandemmq/base'
import { decodeCheckpoint } from '@tandemmq/codec'
import { readPosition } from '@tandemmq/storage'
import { problem, type Finding } from './finding.ts'
import type { LogSummary } from './check-log.ts'
import { StoredFile } from './stored-file.ts'
import type { StoredLog } from './stored-log.ts'

const CHECKPOINT_BYTES_MIN = 48

/** Apache's checkpoint must not claim more than the log has. */
export function* checkCheckpoint(
  files: Files,
  root: string,
  log: StoredLog,
  { newestStoreTimestamp }: LogSummary,
): Generator<Finding> {
  const path = 'checkpoint'
  if (!files.exists(`${root}/${path}`)) return
  using file = new StoredFile(files, `${root}/${path}`)
  if (file.bytes < CHECKPOINT_BYTES_MIN) {
    yield problem(path, file.bytes, `the checkpoint has ${file.bytes} bytes, fewer than its fields take`)
    return
  }
  const checkpoint = decodeCheckpoint(file.read(0, CHECKPOINT_BYTES_MIN))
  const times = ['physicMsgTimestamp', 'logicsMsgTimestamp', 'indexMsgTimestamp'] as const
  for (const [index, name] of times.entries()) {
    const value = checkpoint[name]
    if (value >= 0 && (value <= newestStoreTimestamp || log.isOpen)) continue
    yield problem(path, index * 8, `${name} is ${value}, the newest record is of ${newestStoreTimestamp}`)
  }
  for (const [name, at] of [
    ['confirmPhyOffset', 32],
    ['logicsPhysicalOffset', 40],
  ] as const) {
    const value = checkpoint[name]
    if (value >= 0 && (value <= log.end || log.isOpen)) continue
    yield problem(path, at, `${name} is ${value}, the log ends at ${log.end}`)
  }
}

/** Our position file must not claim more than the log has. */
export function* checkPosition(files: Files, root: string, log: StoredLog): Generator<Finding> {
  const path = 'position'
  if (!files.exists(`${root}/${path}`)) return
  let position: ReturnType<typeof readPosition>
  try {
    position = readPosition(files, root)
  } catch (failure) {
    yield problem(path, 0, messageOf(failure))
    return
  }
  for (const name of ['flushed', 'confirmed', 'queuesSynced', 'scanFrom'] as const) {
    const value = position[name]
    if (value <= log.end || log.isOpen) continue
    yield problem(path, 0, `${name} is ${value}, the log ends at ${log.end}`)
  }
  if (position.cleanEnd !== undefined && position.cleanEnd !== log.end) {
    yield problem(
      path,
      0,
      `the store was closed with its log ending at ${position.cleanEnd}; it ends at ${log.end}`,
    )
  }
}
