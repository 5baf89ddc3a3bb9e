import { expect, describe, test } from 'vitest'
import { ASYNC, BrokerSet } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'

const AFTER_ALL_LEASES_MS = 40_000
const FILE = '/store/config/consumerOffset.json'

async function pair() {
  const set = new BrokerSet(ASYNC)
  await set.startPair()
  return { set, client: new Client(set) }
}

/** An operator's edit of what a broker that is stopped has written: every group is back at the beginning. */
async function rewound(set: BrokerSet, name: string): Promise<void> {
  const files = set.machine(name).files.mount()
  const file = files.open(FILE, 'read')
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0)
  file.close()
  const edited = Buffer.from(bytes.toString().replaceAll(/([\t{,]\d+):[1-9]\d*/g, '$1:0'))
  expect(edited.equals(bytes)).toBe(false)
  files.remove(FILE)
  const written = files.open(FILE, 'create')
  written.write(edited, 0)
  written.close()
}

const floors = (set: BrokerSet, name: string) =>
  [0, 1, 2, 3].map((queueId) => set.broker(name).metadata.progress.queue('billing', 'orders', queueId).floor)

const generations = (set: BrokerSet, name: string) =>
  [...set.broker(name).metadata.progress.ofGroup('billing')].map(({ generation }) => generation.servingEpoch)

describe('rule 5.4: who resets, who creates and deletes', () => {
  test('a master whose consumerOffset.json was edited while a slave served begins there, whatever was done meanwhile; so does the slave', async () => {
    const { set, client } = await pair()
    const sent = await client.sendAll(4)
    await client.ack('master', await client.receiveAll('master'))
    await set.untilCopied('slave')
    sent.push(...(await client.sendAll(4)))
    await set.untilCopied('slave')
    await set.time.advance(1_000)
    await set.stop('master')
    await set.untilServing('slave')
    const taken = await client.receiveAll('slave')
    expect(taken).toHaveLength(4)
    await client.ack('slave', taken.slice(0, 2))
    await rewound(set, 'master')
    await set.start('master')
    await set.untilServing('master')
    await set.untilCopied('slave')
    await set.time.advance(1_000)
    for (const name of ['master', 'slave']) {
      expect(floors(set, name), name).toEqual([0, 0, 0, 0])
      expect(Math.min(...generations(set, name)), name).toBeGreaterThan(0)
      const queues = [...set.broker(name).metadata.progress.ofGroup('billing')]
      expect(
        queues.map(({ inFlight }) => inFlight),
        name,
      ).toEqual([0, 0, 0, 0])
    }
    // At once, and for the first time: leases and attempts are gone.
    const again = await client.receiveAll('master')
    expect(bodiesOf(again)).toEqual(sent)
    expect(again.map(({ attempt }) => attempt)).toEqual(sent.map(() => 1))
    await client.ack('master', again)
    await set.time.advance(AFTER_ALL_LEASES_MS)
    expect(await client.receive('master')).toEqual([])
  })

  test('what is edited on a slave counts for nothing, though it serves afterwards', async () => {
    const { set, client } = await pair()
    await client.sendAll(4)
    await client.ack('master', await client.receiveAll('master'))
    await set.untilCopied('slave')
    await set.time.advance(6_000) // The file is written.
    await set.stop('slave')
    await rewound(set, 'slave')
    set.kill('master')
    await set.start('slave')
    await set.untilServing('slave')
    expect(await client.receive('slave')).toEqual([])
    expect(generations(set, 'slave')).toEqual([0, 0, 0, 0])
  })

  test('a slave that serves creates no topic and no group: a new group reads, and comes to be with the master', async () => {
    const { set, client } = await pair()
    const sent = await client.sendAll(4)
    await set.untilCopied('slave')
    await set.time.advance(1_000)
    set.kill('master')
    await set.untilServing('slave')
    const messages = await client.receiveAll('slave')
    expect(bodiesOf(messages)).toEqual(sent)
    await client.ack('slave', messages)
    const { catalog, metadata } = set.broker('slave')
    expect(catalog.createTopic('others')).toBeUndefined()
    expect(catalog.deadLetterTopic('billing')).toBeUndefined()
    expect([[...metadata.topics.names()], [...metadata.groups.names()]]).toEqual([['orders'], []])

    await set.start('master')
    await set.untilServing('master')
    expect(await client.receive('master')).toEqual([])
    await set.time.advance(1_000)
    for (const name of ['master', 'slave']) expect(set.broker(name).metadata.groups.has('billing')).toBe(true)
  })

  test('a master that must not write creates nothing either', async () => {
    const { set } = await pair()
    const { catalog, role } = set.broker('master')
    if (role.kind !== 'master') throw new Error('it is the master')
    role.writability.refuse('log', 'the operator is not sure')
    expect([catalog.createTopic('others'), catalog.deadLetterTopic('billing')]).toEqual([
      undefined,
      undefined,
    ])
    role.writability.lift('log')
    expect(catalog.createTopic('others')).toMatchObject({ name: 'others' })
  })

  test('a topic that the master deletes while a slave has progress on it that nobody else knows stays deleted, and its progress void', async () => {
    const { set, client } = await pair()
    await client.sendAll(4)
    await set.untilCopied('slave')
    await set.time.advance(1_000)
    set.kill('master')
    await set.untilServing('slave')
    const messages = await client.receiveAll('slave')
    await client.ack('slave', messages)
    const { metadata } = await set.start('master')
    metadata.commit({ kind: 'topic-delete', name: 'orders' })
    await set.untilServing('master')
    await set.time.advance(2_000)
    for (const name of ['master', 'slave']) {
      expect(set.broker(name).metadata.topics.has('orders'), name).toBe(false)
      expect(floors(set, name), name).toEqual([0, 0, 0, 0])
    }
  })
})
