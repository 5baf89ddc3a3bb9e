import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { tandemmq } from '@tandemmq/interop'
import { expect, test } from 'vitest'
import { ApacheBroker } from './apache-broker.ts'
import { ApacheClient } from './apache-client.ts'
import { apacheServesAll } from './apache-sees.test-kit.ts'
import { appendEveryKind, kindTopics } from './every-kind.test-kit.ts'
import { readLog } from './log-file-records.ts'
import { openStore, weServeAll } from './message-store.test-kit.ts'
import { RunDirectory } from './run-directory.test-kit.ts'
import { writeTopics } from './written-topics.test-kit.ts'

/** The second file of the log is hit. */
const DAMAGED_AT = 1024 * 1024 + 400_000

test('a store of ours that was damaged in the middle and repaired: from a copy, and by giving up what lies behind', async (context) => {
  const run = new RunDirectory(context)
  const copy = run.join('copy')
  {
    await using store = await openStore(copy)
    await store.createLineage()
    await store.openEpoch()
    appendEveryKind(store, 5)
  }
  writeTopics(copy, kindTopics)
  const written = readLog(copy)
  expect(written.bytes.length).toBeGreaterThan(DAMAGED_AT + 100_000)

  const fetched = run.copy('copy', 'fetched')
  const cut = run.copy('copy', 'cut')
  for (const store of [fetched, cut]) {
    damage(store)
    expect(await tandemmq('store', 'repair', store, '--yes')).toMatchObject({ code: 1 })
  }
  const repairs = await Promise.all([
    tandemmq('store', 'repair', fetched, '--from-store', copy, '--yes'),
    tandemmq('store', 'repair', cut, '--cut', '--yes'),
  ])
  for (const { code, stdout } of repairs) {
    expect(stdout).toContain('nothing is wrong any more')
    expect(code).toBe(0)
  }
  expect(readLog(fetched).bytes.equals(written.bytes)).toBe(true)
  const left = readLog(cut)
  expect(left.end).toBeGreaterThan(1024 * 1024)
  expect(left.end).toBeLessThanOrEqual(DAMAGED_AT)

  await using client = await ApacheClient.start(run.home('client'))
  for (const store of [fetched, cut]) {
    const { records } = readLog(store)
    {
      await using broker = await ApacheBroker.start({ store, home: run.home('apache') })
      expect(await apacheServesAll(client, broker, store)).toBeGreaterThan(40)
      const { queueOffset } = await client.send(broker.address, 'Kinds', {
        body: Buffer.from('and one of Apache'),
      })
      const before = records.filter(({ topic, queueId }) => topic === 'Kinds' && queueId === 0)
      expect(queueOffset).toBe(1 + Math.max(...before.map((record) => record.queueOffset)))
      await broker.stop()
      expect(broker.complaints()).toEqual([])
    }
    const now = readLog(store)
    expect(now.records.length).toBe(records.length + 1)
    await using again = await openStore(store)
    expect(again.recovery).toMatchObject({ truncatedBytes: 0, end: now.end })
    expect(weServeAll(again, store)).toBeGreaterThan(40)
  }
})

/** Sectors of a file that a disk gives as zeros. */
function damage(store: string): void {
  const path = join(store, 'commitlog', String(1024 * 1024).padStart(20, '0'))
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(2048), 0, 2048, DAMAGED_AT - 1024 * 1024)
  closeSync(file)
}
