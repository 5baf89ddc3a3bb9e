import { silentMeter } from '@tandemmq/base'
import { encodeJournalRecord } from '@tandemmq/codec'
import {
  decodeAnswer,
  encodeAnswer,
  encodeChange,
  groupConfig,
  MetadataStore,
  topicConfig,
  type Change,
} from '@tandemmq/metadata'
import { expect, test } from 'vitest'
import { StoreMachine } from '../files/broker-stores.ts'
import { contentOf, imageOf, put } from '../files/file-image.ts'
import { HOSTILE_NAMES, PROTOTYPE_NAMES } from './hostile-names.ts'

const root = '/data/metadata'

function openMetadata(machine: StoreMachine): Promise<MetadataStore> {
  const { clock } = machine
  const ports = { files: machine.disk.mount(), clock, meter: silentMeter, logger: machine.logger }
  machine.disk.makeDirectory(root)
  return clock.outcome(MetadataStore.open({ root }, { ...ports, log: { knowsStamp: () => true } }))
}

/** Everything a stream of changes can name, with `name` in each place. */
function changesNaming(name: string): readonly Change[] {
  const version = { processEpoch: 1, counter: 1 }
  const generation = { servingEpoch: 1, counter: 1 }
  const records = [{ queueOffset: 0, stamp: { logEpoch: 1, physicalOffset: 0 } }]
  return [
    { kind: 'topic-put', topic: { ...topicConfig({ name: 'T' }), name }, version },
    { kind: 'group-put', group: { ...groupConfig({ name: 'G' }), name }, version },
    { kind: 'topic-delete', name, version, generation },
    { kind: 'group-delete', name, version, generation },
    { kind: 'ack', group: name, topic: 'T', queueId: 0, generation, records },
    { kind: 'ack', group: 'G', topic: name, queueId: 0, generation, records },
    { kind: 'reset', group: name, topic: 'T', queueId: 0, generation, to: 5 },
    { kind: 'cut', generation, ends: [{ topic: name, queueId: 0, end: 0 }] },
  ]
}

test('names from a master: each change with one that cannot be is left out, the others count', async () => {
  const machine = new StoreMachine()
  const store = await openMetadata(machine)
  const good: Change = {
    kind: 'topic-put',
    topic: topicConfig({ name: 'Honest' }),
    version: { processEpoch: 1, counter: 9 },
  }
  for (const name of HOSTILE_NAMES) {
    const changes = [...changesNaming(name), good]
    const bytes = encodeAnswer({
      cursor: { processEpoch: 1, counter: changes.length },
      since: { processEpoch: 1, counter: 0 },
      changes,
    })
    const answer = decodeAnswer(bytes)
    expect(
      answer.changes.map(({ kind }) => kind),
      JSON.stringify(name),
    ).toEqual(['topic-put'])
    expect(Object.values(answer.problems ?? {}).join()).toMatch(/is no (?:topic|group) name/)
  }
  const snapshot = { topics: [good, ...HOSTILE_NAMES.flatMap((name) => changesNaming(name).slice(0, 1))] }
  store.applyRemote(
    decodeAnswer(encodeAnswer({ cursor: { processEpoch: 1, counter: 1 }, snapshot, changes: [] })),
  )
  expect([...store.topics.names()]).toEqual(['Honest'])
  await machine.clock.outcome(store.close())
  for (const path of imageOf(machine.disk, '').keys()) expect(path.startsWith(`${root}/`), path).toBe(true)
})

test('names of the prototype chain are names like any other, on the way in and over a restart', async () => {
  const machine = new StoreMachine()
  const store = await openMetadata(machine)
  for (const name of PROTOTYPE_NAMES) {
    expect(store.topics.has(name)).toBe(false)
    store.commit({
      kind: 'topic-put',
      topic: topicConfig({ name, attributes: new Map([['__proto__', 'polluted']]) }),
    })
    store.commit({ kind: 'group-put', group: groupConfig({ name }) })
    store.commit({
      kind: 'reset',
      group: name,
      topic: name,
      queueId: 0,
      to: 7,
      generation: { servingEpoch: 1, counter: 1 },
    })
  }
  await machine.clock.advance(12_000)
  await machine.clock.outcome(store.close())
  machine.disk.remove(`${root}/journal`) // Only Apache's files are left.
  const again = await openMetadata(machine)
  for (const name of PROTOTYPE_NAMES) {
    expect(again.topics.get(name)?.attributes.get('__proto__')).toBe('polluted')
    expect(again.groups.has(name)).toBe(true)
    expect(again.progress.queue(name, name, 0).floor).toBe(7)
  }
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
  expect(Object.keys(Object.prototype)).toEqual([])
})

const table = (name: string): string => JSON.stringify({ topicConfigTable: { [name]: { topicName: name } } })

test('names in a config file: kept for Apache, never used', async () => {
  for (const name of HOSTILE_NAMES) {
    const machine = new StoreMachine()
    put(machine.disk, `${root}/config/topics.json`, Buffer.from(table(name)))
    const offsets = { offsetTable: { [`T@${name}`]: { 0: 5 }, [`${name}@G`]: { 0: 5 } } }
    put(machine.disk, `${root}/config/consumerOffset.json`, Buffer.from(JSON.stringify(offsets)))
    const store = await openMetadata(machine)
    expect([...store.topics.names()], JSON.stringify(name)).toEqual([])
    expect([...store.progress.all()]).toEqual([])
    await machine.clock.advance(12_000)
    await machine.clock.outcome(store.close())
    for (const path of imageOf(machine.disk, '').keys()) expect(path.startsWith(`${root}/`), path).toBe(true)
  }
})

test.each([
  ['10^6 levels', `{"a":${'['.repeat(1_000_000)}`],
  ['10^6 levels of objects', '{"a":'.repeat(1_000_000)],
  ['a number beyond 2^53', table('T').replace('"topicName"', '"readQueueNums":9007199254740993,"topicName"')],
  [
    'a number with 400 digits',
    table('T').replace('"topicName"', `"readQueueNums":${'9'.repeat(400)},"topicName"`),
  ],
  ['a negative number of queues', table('T').replace('"topicName"', '"readQueueNums":-1,"topicName"')],
  [
    'a key twice',
    '{"topicConfigTable":{"T":{"topicName":"../T"},"T":{"topicName":"T"}},"topicConfigTable":{}}',
  ],
  ['__proto__ as the table', '{"__proto__":{"topicConfigTable":{"T":{"topicName":"T"}}}}'],
  ['an entry under another name', '{"topicConfigTable":{"T":{"topicName":"../T"}}}'],
])('%s in a config file is refused by its name, or kept and not used', async (_what, text) => {
  const machine = new StoreMachine()
  put(machine.disk, `${root}/config/topics.json`, Buffer.from(text))
  try {
    const store = await openMetadata(machine)
    expect([...store.topics.names()]).toEqual([])
    await machine.clock.advance(1000)
    await machine.clock.outcome(store.close())
  } catch (refusal) {
    expect(refusal).toMatchObject({
      code: 'STATE_FILE_CORRUPT',
      message: expect.stringContaining('topics.json'),
    })
  }
  expect(Reflect.get({}, 'topicConfigTable')).toBeUndefined()
})

test('a journal that names what cannot be is refused at its place, however sound its checksums', async () => {
  for (const name of HOSTILE_NAMES) {
    for (const change of changesNaming(name)) {
      const machine = new StoreMachine()
      await machine.clock.outcome((await openMetadata(machine)).close())
      const path = `${root}/journal/progress.journal`
      const sound = contentOf(machine.disk, path)
      const forged = encodeJournalRecord({
        tag: CHANGE_TAG,
        durable: sound.length,
        payload: encodeChange(change),
      })
      put(machine.disk, path, Buffer.concat([sound, forged]))
      await expect(openMetadata(machine), JSON.stringify(name)).rejects.toMatchObject({
        code: 'STATE_FILE_CORRUPT',
        facts: { at: sound.length },
        message: expect.stringContaining(path),
      })
    }
  }
})

/** How a journal marks a change. */
const CHANGE_TAG = 3
