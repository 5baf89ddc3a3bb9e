import { expect, test } from 'vitest'
import { ApacheBroker } from './apache-broker.ts'
import { ApacheClient } from './apache-client.ts'
import { apacheServesAll } from './apache-sees.test-kit.ts'
import { appendEveryKind, appendUpTo, kindTopics } from './every-kind.test-kit.ts'
import { readLog } from './log-file-records.ts'
import { openStore, weServeAll } from './message-store.test-kit.ts'
import { RunDirectory } from './run-directory.test-kit.ts'
import { writeTopics } from './written-topics.test-kit.ts'

test('every form of a record, and every end of a file', async (context) => {
  const run = new RunDirectory(context)
  const root = run.join('store')
  {
    await using store = await openStore(root, { ip: 'fd00::7', port: 10911 })
    await store.createLineage()
    await store.openEpoch()
    appendEveryKind(store, 1)
  }
  {
    await using store = await openStore(root)
    await store.openEpoch()
    // 8 bytes are a blank and nothing more; 7 would be too few for one, so that record moves to the next file.
    for (const left of [8, 9, 7]) appendUpTo(store, left)
    appendEveryKind(store, 4)
    await store.flush()
    expect(weServeAll(store, root)).toBeGreaterThan(80)
  }
  const written = readLog(root)
  expect(written.bytes.length).toBeGreaterThan(4 * 2 ** 20)
  writeTopics(root, kindTopics)

  await using client = await ApacheClient.start(run.home('client'))
  {
    await using broker = await ApacheBroker.start({ store: root, home: run.home('apache') })
    expect(await apacheServesAll(client, broker, root)).toBeGreaterThan(80)
    await client.send(broker.address, 'Kinds', { body: Buffer.from('and one of Apache') })
    await broker.stop()
    expect(broker.complaints()).toEqual([])
  }
  await using store = await openStore(root)
  expect(store.recovery).toMatchObject({ truncatedBytes: 0, lossPossible: false })
  const now = readLog(root)
  expect(now.bytes.subarray(0, written.bytes.length).equals(written.bytes)).toBe(true)
  expect(now.records.length).toBe(written.records.length + 1)
  expect(store.end).toBe(now.end)
  expect(weServeAll(store, root)).toBeGreaterThan(80)
})
