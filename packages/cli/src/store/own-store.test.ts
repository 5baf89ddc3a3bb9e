import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, silentMeter } from '@tandemmq/base'
import { encodeProperties } from '@tandemmq/codec'
import { NodeClock, NodeFiles, NodeRandom } from '@tandemmq/platform-node'
import { MessageStore } from '@tandemmq/storage'
import { expect, test } from 'vitest'
import { verifyStore } from './verify.ts'

const host = { ip: '127.0.0.1', port: 10_911 }

async function openStore(root: string): Promise<MessageStore> {
  const options = {
    root,
    storeHost: host,
    bootId: 'boot',
    segmentBytes: 65_536,
    consumeQueueFileBytes: 2000,
    index: { slots: 50, entries: 200 },
  }
  const ports = {
    files: new NodeFiles(),
    clock: new NodeClock(),
    random: new NodeRandom(),
    logger: silentLogger,
    meter: silentMeter,
  }
  const store = await MessageStore.open(options, ports)
  if (store.lineage === undefined) await store.createLineage()
  await store.openEpoch()
  for (let n = 0; n < 300; n += 1) {
    store.append({
      topic: 'orders',
      queueId: n % 3,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 1,
      bornHost: host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
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

function problemsOf(root: string): { readonly problems: string[]; readonly last: string | undefined } {
  const lines: string[] = []
  verifyStore(new NodeFiles(), root, (line) => lines.push(line))
  return { problems: lines.filter((line) => line.startsWith('problem')), last: lines.at(-1) }
}

test('a store of ours is verified while it is open and after it was closed, and damage is told', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tandemmq-own-'))
  try {
    const store = await openStore(root)
    expect(problemsOf(root).problems).toEqual([])
    await store.dispatched.reached(store.end)
    expect(problemsOf(root).problems).toEqual([])
    await store.close()
    const { problems, last } = problemsOf(root)
    expect(problems).toEqual([])
    expect(last).toMatch(/300 records; 3 queues, 300 units; 4 index files, 600 entries; nothing wrong$/)

    const position = join(root, 'position')
    writeFileSync(position, readFileSync(position, 'utf8').replace('"flushed"', '"flushee"'))
    expect(problemsOf(root).problems.join()).toContain('position at byte 0: the file TandemMQ position 1')
    const log = join(root, 'commitlog/00000000000000065536')
    const bytes = readFileSync(log)
    bytes[300] = 0xff
    writeFileSync(log, bytes)
    expect(problemsOf(root).problems.join()).toContain(
      'commitlog/00000000000000065536 at byte 0: the body of',
    )
  } finally {
    rmSync(root, { recursive: true })
  }
})
