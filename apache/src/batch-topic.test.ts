import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ApacheBroker } from './apache-broker.ts'
import { ApacheClient } from './apache-client.ts'
import { apacheServesAll } from './apache-sees.test-kit.ts'
import { appendEveryKind, kindTopics } from './every-kind.test-kit.ts'
import { openStore } from './message-store.test-kit.ts'
import { RunDirectory } from './run-directory.test-kit.ts'
import { writeTopics } from './written-topics.test-kit.ts'

test('queues that were ordinary ones until their topics were known as batch topics', async (context) => {
  const run = new RunDirectory(context)
  const root = run.join('store')
  {
    await using store = await openStore(root)
    await store.createLineage()
    await store.openEpoch()
    appendEveryKind(store, 1)
  }
  expect(existsSync(join(root, 'consumequeue', 'Kinds', '0'))).toBe(true)
  await (await openStore(root, undefined, () => true)).close()
  expect(existsSync(join(root, 'consumequeue', 'Kinds', '0'))).toBe(false)
  writeTopics(root, kindTopics, { 'queue.type': 'BatchCQ' })

  await using client = await ApacheClient.start(run.home('client'))
  // It does not start where a queue's directory is of another kind than the attribute says.
  await using broker = await ApacheBroker.start({ store: root, home: run.home('apache') })
  expect(await apacheServesAll(client, broker, root)).toBeGreaterThan(15)
  expect(broker.complaints()).toEqual([])
})
