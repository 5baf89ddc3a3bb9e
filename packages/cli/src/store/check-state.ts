import { messageOf, type Files } from '@tandemmq/base'
import { CHECKPOINT_BYTES, decodeCheckpoint } from '@tandemmq/codec'
import { readPosition } from '@tandemmq/storage'
import { problem, type Finding } from './finding.ts'
import { checkCopy } from './check-lineage.ts'
import type { LogSummary } from './check-log.ts'
import { StoredFile, nameOf } from './stored-file.ts'
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
  const rest = file.read(CHECKPOINT_BYTES_MIN, file.bytes - CHECKPOINT_BYTES_MIN)
  const stray = rest.findIndex((byte) => byte !== 0)
  if (stray !== -1) yield problem(path, CHECKPOINT_BYTES_MIN + stray, 'a byte behind the fields is not zero')
  if (file.bytes !== CHECKPOINT_BYTES)
    yield problem(path, file.bytes, `the checkpoint has ${file.bytes} bytes instead of ${CHECKPOINT_BYTES}`)
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
  yield* checkCopy(files, root, path, () => readPosition(files, root, `${path}.bak`))
  if (!files.exists(`${root}/${path}`)) {
    const evidence = ['position.bak', 'epochOpeners', 'queueEnds'].find((name) =>
      files.exists(`${root}/${name}`),
    )
    if (evidence !== undefined) yield problem(path, 0, `the file is missing; there is ${evidence}`)
    return
  }
  let position: ReturnType<typeof readPosition>
  try {
    position = readPosition(files, root)
  } catch (failure) {
    yield problem(path, 0, messageOf(failure))
    return
  }
  const onDisk = Math.max(position.flushed, position.cleanEnd ?? 0)
  // What has expired may be gone already.
  const begin = position.begin === undefined ? undefined : Math.max(position.begin, position.expireTo ?? 0)
  if (onDisk > log.end && log.starts.length > 0) {
    const last = log.startOf(Math.max(log.first, log.end - 1))
    const what = `the log ends at ${log.end}, but ${onDisk} was on disk: what lies between is missing`
    yield {
      ...problem(`commitlog/${nameOf(last)}`, log.end - last, what),
      log: { from: log.end, to: onDisk, kind: 'lost' },
    }
  }
  for (const name of ['confirmed', 'queuesSynced', 'scanFrom'] as const) {
    const value = position[name]
    if (value <= log.end || log.isOpen) continue
    yield problem(path, 0, `${name} is ${value}, the log ends at ${log.end}`)
  }
  if (begin !== undefined && begin < onDisk && log.starts.length > 0 && log.first > begin) {
    yield {
      ...problem(log.pathOf(log.first), 0, `the log begins here; its files from ${begin} on are missing`),
      log: { from: begin, to: log.first, kind: 'head' },
    }
  }
  if (begin !== undefined && begin < onDisk && log.starts.length === 0) {
    yield problem(
      'commitlog',
      0,
      `the log has no file; it began at ${begin} and was on disk up to ${position.flushed}`,
    )
  }
  if (position.cleanEnd !== undefined && position.cleanEnd < log.end) {
    yield problem(
      path,
      0,
      `the store was closed with its log ending at ${position.cleanEnd}; it ends at ${log.end}`,
    )
  }
}
