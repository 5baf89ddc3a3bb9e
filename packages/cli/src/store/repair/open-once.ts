import { silentLogger, silentMeter, type Files } from '@tandemmq/base'
import type { IndexGeometry } from '@tandemmq/codec'
import { NodeClock, NodeRandom, bootId } from '@tandemmq/platform-node'
import { MessageStore } from '@tandemmq/storage'
import { geometryOf, indexShapeOnFile } from '../index-geometry.ts'
import { StoredFile, positionOf } from '../stored-file.ts'
import type { Survey } from './survey.ts'

/** What the configuration of the broker says and its store shows. */
export interface StoreShape {
  readonly consumeQueueFileBytes: number
  readonly index: IndexGeometry | undefined
}

/** Apache's mappedFileSizeConsumeQueue × 20. */
const QUEUE_FILE_BYTES = 6_000_000

/** `queueFileBytes`: where no file shows it. */
export function storeShape(files: Files, { root }: Survey, queueFileBytes = QUEUE_FILE_BYTES): StoreShape {
  const counts = new Map<number, number>()
  for (const topic of files.list(`${root}/consumequeue`)) {
    for (const queueId of files.list(`${root}/consumequeue/${topic}`)) {
      const directory = `${root}/consumequeue/${topic}/${queueId}`
      for (const name of files.list(directory)) {
        if (positionOf(name) === undefined) continue
        using file = new StoredFile(files, `${directory}/${name}`)
        counts.set(file.bytes, (counts.get(file.bytes) ?? 0) + 1)
      }
    }
  }
  const [most] = [...counts].toSorted((a, b) => b[1] - a[1])
  return { consumeQueueFileBytes: most?.[0] ?? queueFileBytes, index: indexShape(files, root) }
}

/** `undefined`: there is no index, or none that says its shape; a broker that keeps one builds it at its start. */
function indexShape(files: Files, root: string): IndexGeometry | undefined {
  const stated = indexShapeOnFile(files, root)
  if (stated !== undefined) return stated
  for (const name of files.list(`${root}/index`)) {
    const geometry = /^\d{17}$/.test(name) ? geometryOf(files, `${root}/index/${name}`) : undefined
    if (geometry !== undefined) return geometry
  }
  return undefined
}

/**
 * Opens the store as a broker does, which finishes cuts, builds what is missing and writes state files again, and closes it. A store of Apache's gets
 * no files of ours. Throws what `MessageStore.open` throws.
 */
export async function openOnce(files: Files, survey: Survey, shape: StoreShape): Promise<void> {
  const { root, isOurs, segmentBytes } = survey
  const ports = {
    files,
    clock: new NodeClock(),
    random: new NodeRandom(),
    logger: silentLogger,
    meter: silentMeter,
  }
  const options = {
    root,
    storeHost: { ip: '0.0.0.0', port: 0 }, // Nothing is appended.
    bootId: bootId(),
    segmentBytes,
    maxMessageBytes: Math.min(segmentBytes, 512 * 1024 * 1024),
    ...shape,
  }
  const store = await MessageStore.open(options, ports)
  await store.dispatched.reached(store.end)
  await store.close()
  if (isOurs) return
  for (const name of ['position', 'queueEnds', 'indexFiles']) {
    for (const path of [name, `${name}.bak`]) files.remove(`${root}/${path}`)
  }
  files.remove(`${root}/checkpoint.bak`)
  await files.syncDirectory(root)
}
