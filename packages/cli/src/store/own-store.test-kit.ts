import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, silentMeter } from '@tandemmq/base'
import { encodeProperties } from '@tandemmq/codec'
import { NodeClock, NodeFiles, NodeRandom } from '@tandemmq/platform-node'
import { MessageStore, type StoreOptions } from '@tandemmq/storage'

const host = { ip: '127.0.0.1', port: 10_911 }

export const OWN_SEGMENT_BYTES = 65_536

/** What all messages have in common. */
export const SENT = {
  topic: 'orders',
  queueId: 0,
  flag: 0,
  sysFlag: 0,
  bornTimestamp: 1,
  bornHost: host,
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
}

/** Opens a store with small files; the caller closes it. */
export function openOwn(root: string, more: Partial<StoreOptions> = {}): Promise<MessageStore> {
  const options = {
    root,
    storeHost: host,
    bootId: 'boot',
    segmentBytes: OWN_SEGMENT_BYTES,
    consumeQueueFileBytes: 2000,
    index: { slots: 50, entries: 200 },
    ...more,
  }
  const ports = {
    files: new NodeFiles(),
    clock: new NodeClock(),
    random: new NodeRandom(),
    logger: silentLogger,
    meter: silentMeter,
  }
  return MessageStore.open(options, ports)
}

/** 300 messages in three queues of `orders`, open and writable. */
export async function fillOwn(
  root: string,
  count = 300,
  more: Partial<StoreOptions> = {},
): Promise<MessageStore> {
  const store = await openOwn(root, more)
  if (store.lineage === undefined) await store.createLineage()
  await store.openEpoch()
  for (let n = 0; n < count; n += 1) {
    store.append({
      ...SENT,
      queueId: n % 3,
      body: Buffer.alloc(400, n),
      properties: encodeProperties([
        ['KEYS', `key-${n}`],
        ['TAGS', 'TagA'],
      ]),
    })
  }
  await store.flush()
  return store
}

/** A store of ours that was closed, in a directory of its own. */
export class OwnDirectory implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'tandemmq-own-'))

  static async closed(): Promise<OwnDirectory> {
    const directory = new OwnDirectory()
    const store = await fillOwn(directory.root)
    await store.dispatched.reached(store.end)
    await store.close()
    mkdirSync(join(directory.root, 'config'))
    for (const name of ['topics.json', 'topics.json.bak']) {
      writeFileSync(
        join(directory.root, 'config', name),
        '{"topicConfigTable":{"orders":{"topicName":"orders"}}}',
      )
    }
    return directory
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true })
  }
}
