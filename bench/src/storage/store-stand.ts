import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger, silentMeter, type Files } from '@tandemmq/base'
import { NodeClock, NodeFiles, NodeRandom, bootId } from '@tandemmq/platform-node'
import { MessageStore, type StoreOptions } from '@tandemmq/storage'

/** Apache's default shape of an index file. */
const INDEX = { slots: 5_000_000, entries: 20_000_000 }

/** A directory of its own for one measurement, removed with its scope. */
export class BenchDirectory implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async make(parent: string): Promise<BenchDirectory> {
    return new BenchDirectory(await mkdtemp(join(parent, 'tandemmq-bench-storage-')))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

/** Opens a store on real files, with consume queues and the index of keys, in Apache's default shapes. */
export function openStore(
  root: string,
  options: Partial<StoreOptions> = {},
  files: Files = new NodeFiles(),
): Promise<MessageStore> {
  return MessageStore.open(
    {
      root,
      storeHost: { ip: '127.0.0.1', port: 10911 },
      bootId: bootId(),
      index: INDEX,
      preZeroBytes: 0,
      ...options,
    },
    {
      files,
      clock: new NodeClock(),
      random: new NodeRandom(),
      logger: silentLogger,
      meter: silentMeter,
    },
  )
}

/** As {@link openStore}, ready to append, as a master is. */
export async function openMaster(
  root: string,
  options: Partial<StoreOptions> = {},
  files: Files = new NodeFiles(),
): Promise<MessageStore> {
  const store = await openStore(root, options, files)
  if (store.lineage === undefined) await store.createLineage()
  await store.openEpoch()
  return store
}
