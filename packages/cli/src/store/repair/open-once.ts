import { silentLogger, silentMeter, type Files } from '@tandemmq/base'
import { NodeClock, NodeRandom, bootId } from '@tandemmq/platform-node'
import { MessageStore } from '@tandemmq/storage'
import type { StoreShape } from './store-shape.ts'
import type { Survey } from './survey.ts'

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
