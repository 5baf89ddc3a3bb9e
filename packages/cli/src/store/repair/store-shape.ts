import type { Files } from '@tandemmq/base'
import {
  BATCH_UNIT_BYTES,
  UNIT_BYTES,
  isJsonObject,
  parseApacheJson,
  type IndexGeometry,
  type JsonValue,
} from '@tandemmq/codec'
import { replaceStateFile } from '@tandemmq/storage'
import { geometryOf, indexShapeOnFile } from '../index-geometry.ts'
import { StoredFile, positionOf } from '../stored-file.ts'

/** What the configuration of the broker says and its store shows. */
export interface StoreShape {
  readonly consumeQueueFileBytes: number
  /** Absent: no file shows it. No repair moves batch queues away. */
  readonly batchQueueFileBytes?: number
  /** `undefined`: there is no index, or none that says its shape; a broker that keeps one builds it at its start. */
  readonly index: IndexGeometry | undefined
}

/** Apache's mappedFileSizeConsumeQueue × 20. */
const QUEUE_FILE_BYTES = 6_000_000
const FILE = 'shape.json'

/**
 * What an earlier repair has written down that was interrupted, after it may have moved away what shows it; or else what the files show.
 * @param queueFileBytes where nothing shows it
 */
export function storeShape(files: Files, root: string, queueFileBytes = QUEUE_FILE_BYTES): StoreShape {
  const noted = notedShape(files, root)
  const shown = queueLength(files, `${root}/consumequeue`, UNIT_BYTES)
  const batchQueueFileBytes = queueLength(files, `${root}/batchconsumequeue`, BATCH_UNIT_BYTES)
  return {
    consumeQueueFileBytes: noted?.consumeQueueFileBytes ?? shown ?? queueFileBytes,
    ...(batchQueueFileBytes === undefined ? {} : { batchQueueFileBytes }),
    index: noted?.index ?? indexShape(files, root),
  }
}

/** Writes down, durably, what the next steps take away. @param directory below the store's */
export async function noteShape(
  files: Files,
  root: string,
  directory: string,
  { consumeQueueFileBytes, index }: StoreShape,
): Promise<void> {
  files.makeDirectory(`${root}/${directory}`)
  const { slots = 0, entries = 0 } = index ?? {}
  const text = JSON.stringify({ consumeQueueFileBytes, slots, entries })
  await replaceStateFile(files, `${root}/${directory}/${FILE}`, Buffer.from(text))
  for (const above of [`${root}/diverged`, root]) await files.syncDirectory(above)
}

/** A repair is through: from now on the files show it. */
export function forgetShapes(files: Files, root: string): void {
  for (const name of files.list(`${root}/diverged`)) {
    if (name.startsWith('repair-')) files.remove(`${root}/diverged/${name}/${FILE}`)
  }
}

function notedShape(files: Files, root: string): StoreShape | undefined {
  const names = files.list(`${root}/diverged`).filter((name) => name.startsWith('repair-'))
  for (const name of names.toReversed()) {
    const path = `${root}/diverged/${name}/${FILE}`
    if (!files.exists(path)) continue
    using file = new StoredFile(files, path)
    const json = parseApacheJson(file.read(0, file.bytes).toString())
    if (!isJsonObject(json)) continue
    const [bytes, slots, entries] = ['consumeQueueFileBytes', 'slots', 'entries'].map((key) =>
      countOf(json.get(key)),
    )
    if (!bytes) continue
    return { consumeQueueFileBytes: bytes, index: slots && entries ? { slots, entries } : undefined }
  }
  return undefined
}

function countOf(value: JsonValue | undefined): number {
  return Number.isSafeInteger(Number(value)) ? Number(value) : 0
}

/** The length that most files of queues below `parent` have. */
function queueLength(files: Files, parent: string, unitBytes: number): number | undefined {
  const counts = new Map<number, number>()
  for (const topic of files.list(parent)) {
    for (const queueId of files.list(`${parent}/${topic}`)) {
      const directory = `${parent}/${topic}/${queueId}`
      for (const name of files.list(directory)) {
        if (positionOf(name) === undefined) continue
        using file = new StoredFile(files, `${directory}/${name}`)
        if (file.bytes === 0 || file.bytes % unitBytes !== 0) continue
        counts.set(file.bytes, (counts.get(file.bytes) ?? 0) + 1)
      }
    }
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0]
}

function indexShape(files: Files, root: string): IndexGeometry | undefined {
  const stated = indexShapeOnFile(files, root)
  if (stated !== undefined) return stated
  for (const name of files.list(`${root}/index`)) {
    const geometry = /^\d{17}$/.test(name) ? geometryOf(files, `${root}/index/${name}`) : undefined
    if (geometry !== undefined) return geometry
  }
  return undefined
}
