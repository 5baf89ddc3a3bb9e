import { closeSync, openSync, readFileSync, readSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { INDEX_HEADER_BYTES, UNIT_BYTES, decodeIndexHeader, indexEntryAt } from '@tandemmq/codec'
import { Clients, until } from '@tandemmq/interop'
import { expect, test } from 'vitest'
import { ApacheBroker } from './apache-broker.ts'
import { ApacheClient } from './apache-client.ts'
import { APACHE_INDEX, openStore } from './message-store.test-kit.ts'
import { OurBroker } from './our-broker.ts'
import { RunDirectory } from './run-directory.test-kit.ts'

/** The hash of the second is the smallest number there is, that of the third is negative too. */
const TAGS = ['TagA', 'polygenelubricants', '蓝色的消息', 't']

test('consume queues and index that are built again are those that the other wrote, byte for byte', async (context) => {
  const run = new RunDirectory(context)
  const apaches = run.join('apaches')
  await using client = await ApacheClient.start(run.home('client'))
  {
    await using broker = await ApacheBroker.start({ store: apaches, home: run.home('apache') })
    const { address } = broker
    for (let n = 0; n < 30; n += 1) {
      const properties = { TAGS: TAGS[n % TAGS.length] ?? '', KEYS: `k${n}` }
      await client.send(address, n % 2 === 0 ? 'Even' : 'Odd', {
        body: Buffer.alloc(70_000, n),
        queueId: n % 3,
        properties: n % 5 === 0 ? { ...properties, DELAY: '18' } : properties,
      })
    }
    await client.batch(
      address,
      'Even',
      ['a', 'b', 'c'].map((text) => Buffer.from(text)),
    )
    await client.transaction(address, 'Odd', { body: Buffer.from('committed') }, 'commit')
    await client.transaction(address, 'Odd', { body: Buffer.from('rolled back') }, 'rollback')
    await broker.stop()
  }
  const written = queuesOf(apaches)
  expect(written.size).toBeGreaterThan(6)

  const ours = run.copy('apaches', 'ours')
  for (const directory of ['consumequeue', 'index']) rmSync(join(ours, directory), { recursive: true })
  await (await openStore(ours)).close()
  expect(queuesOf(ours)).toEqual(written)
  expect(indexOf(ours).equals(indexOf(apaches))).toBe(true)

  const again = run.copy('ours', 'again')
  rmSync(join(again, 'consumequeue'), { recursive: true })
  await using broker = await ApacheBroker.start({ store: again, home: run.home('apache') })
  await broker.stop()
  const rebuilt = queuesOf(again)
  // Its transaction check may have written half messages again behind them.
  for (const [name, units] of written) expect(rebuilt.get(name)?.slice(0, units.length), name).toEqual(units)
})

test("a timer of ours that is due is delivered by Apache's wheel", async (context) => {
  const run = new RunDirectory(context)
  const store = run.join('store')
  {
    const keys = { createLog: true }
    await using ours = await OurBroker.start({ role: 'master', store, home: run.home('ours'), keys })
    await using clients = new Clients(ours)
    const producer = await clients.producer('Late')
    const deliveryTimestamp = new Date(Date.now() + 20_000)
    await producer.send({
      topic: 'Late',
      tag: 'later',
      keys: ['due'],
      deliveryTimestamp,
      body: Buffer.from('at last'),
    })
    await ours.stop()
  }
  await using client = await ApacheClient.start(run.home('client'))
  const keys = { timerWheelEnable: true }
  await using broker = await ApacheBroker.start({ store, home: run.home('apache'), keys })
  const message = await until('the message to be due', async () => {
    const queues = await Promise.all([0, 1].map((queueId) => client.queue(broker.address, 'Late', queueId)))
    return queues.flatMap(({ messages }) => messages)[0]
  })
  expect(message).toMatchObject({ topic: 'Late', tags: 'later', keys: 'due' })
  expect(Buffer.from(message.body, 'base64').toString()).toBe('at last')
})

/** The units of every queue, by `topic/queueId/file`, without the zeros behind them. */
function queuesOf(store: string): ReadonlyMap<string, string> {
  const root = join(store, 'consumequeue')
  const queues = new Map<string, string>()
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = readFileSync(path)
    const units = Math.ceil((bytes.findLastIndex((byte) => byte !== 0) + 1) / UNIT_BYTES)
    if (units > 0) queues.set(path.slice(root.length + 1), bytes.toString('hex', 0, units * UNIT_BYTES))
  }
  return queues
}

/** Header, slots and used entries of the one index file; its name is only the time at which it was made. */
function indexOf(store: string): Buffer {
  const [name = '', ...more] = readdirSync(join(store, 'index'))
  expect(more).toEqual([])
  const path = join(store, 'index', name)
  const head = Buffer.alloc(INDEX_HEADER_BYTES)
  const file = openSync(path, 'r')
  readSync(file, head, 0, head.length, 0)
  const { indexCount } = decodeIndexHeader(head, 0)
  expect(indexCount).toBeGreaterThan(60)
  const used = Buffer.alloc(indexEntryAt(APACHE_INDEX, indexCount))
  readSync(file, used, 0, used.length, 0)
  closeSync(file)
  return used
}
