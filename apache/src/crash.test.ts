import { propertyOf } from '@tandemmq/codec'
import { Clients } from '@tandemmq/interop'
import { expect, test } from 'vitest'
import { ApacheBroker } from './apache-broker.ts'
import { ApacheClient } from './apache-client.ts'
import { apacheServesAll } from './apache-sees.test-kit.ts'
import { readLog } from './log-file-records.ts'
import { openStore, weServeAll } from './message-store.test-kit.ts'
import { OurBroker } from './our-broker.ts'
import { RunDirectory } from './run-directory.test-kit.ts'

/** How many sends are under way at a time. */
const LANES = 8

test('a store that one of them leaves by SIGKILL under load opens with the other, and nothing acknowledged is missing', async (context) => {
  const run = new RunDirectory(context)
  const store = run.join('store')
  await using client = await ApacheClient.start(run.home('client'))
  const acknowledged: string[] = []
  {
    const keys = { createLog: true }
    await using broker = await OurBroker.start({ role: 'master', store, home: run.home('ours'), keys })
    await using clients = new Clients(broker)
    const producer = await clients.producer('Load')
    const send = async (body: Buffer): Promise<string> => {
      const { messageId } = await producer.send({ topic: 'Load', body })
      return messageId
    }
    acknowledged.push(...(await loadUntilKilled(send, () => broker.kill(), 400)))
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(400)
  demandAll(store, acknowledged)
  {
    await using broker = await ApacheBroker.start({ store, home: run.home('apache') })
    expect(await apacheServesAll(client, broker, store)).toBeGreaterThanOrEqual(acknowledged.length)
    demandAll(store, acknowledged)
    const send = async (body: Buffer): Promise<string> => {
      const sent = await client.send(broker.address, 'Load', { body })
      return sent.messageId
    }
    acknowledged.push(...(await loadUntilKilled(send, () => broker.kill(), 400)))
    // It says what a crash leaves, no more.
    expect(broker.complaints().filter((line) => !AFTER_A_CRASH.test(line))).toEqual([])
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(800)
  demandAll(store, acknowledged)
  {
    await using opened = await openStore(store)
    expect(opened.recovery).toMatchObject({ cleanStop: false, lossPossible: false })
    expect(weServeAll(opened, store)).toBeGreaterThanOrEqual(acknowledged.length)
    await opened.openEpoch()
  }
  demandAll(store, acknowledged)
  await using broker = await ApacheBroker.start({ store, home: run.home('apache') })
  expect(await apacheServesAll(client, broker, store)).toBeGreaterThanOrEqual(acknowledged.length)
})

const AFTER_A_CRASH = /last shutdown abnormally|recover physics file/

/** Sends until `count` are acknowledged, kills the broker while more are under way, and returns all that was acknowledged. */
async function loadUntilKilled(
  send: (body: Buffer) => Promise<string>,
  kill: () => Promise<void>,
  count: number,
): Promise<readonly string[]> {
  const acknowledged: string[] = []
  let killing: Promise<void> | undefined
  const lane = async (index: number): Promise<void> => {
    for (let n = 0; killing === undefined; n += 1) {
      try {
        acknowledged.push(await send(Buffer.alloc(1 + ((index * 977 + n * 131) % 9_000), index)))
      } catch (failure) {
        if (killing === undefined) throw failure
      }
      if (acknowledged.length >= count) killing ??= kill()
    }
  }
  await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)))
  await killing
  return acknowledged
}

/** Every client's message id of these is in the log's files. */
function demandAll(store: string, messageIds: readonly string[]): void {
  const held = new Set(readLog(store).records.map(({ properties }) => propertyOf(properties, 'UNIQ_KEY')))
  expect(messageIds.filter((messageId) => !held.has(messageId))).toEqual([])
}
