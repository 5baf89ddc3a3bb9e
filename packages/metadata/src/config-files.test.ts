import { readFileSync } from 'node:fs'
import { parseApacheJson, type JsonValue } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { DELAY_GROUP, TIMER_TOPIC, topicConfig } from './index.ts'
import { World, acked, delivery, key } from './world.test-data.ts'

const golden = (path: string): string =>
  readFileSync(new URL(`../../../test/golden/${path}`, import.meta.url), 'utf8')

const NAMES = ['topics', 'subscriptionGroup', 'consumerOffset', 'delayOffset']

function withGolden(store: string, names = NAMES): World {
  const world = new World()
  for (const name of names)
    world.put(`/data/config/${name}.json`, golden(`${store}/files/config/${name}.json`))
  return world
}

/** Without the order of entries, and without what is meant to differ. */
function comparable(value: JsonValue | undefined): unknown {
  if (value instanceof Map) {
    const entries = [...value]
      .filter(([name]) => name !== 'dataVersion')
      .map(([name, inner]) => [String(name), comparable(inner)])
    return Object.fromEntries(entries)
  }
  return Array.isArray(value)
    ? value.map((element) => JSON.stringify(comparable(element))).toSorted((a, b) => a.localeCompare(b))
    : value
}

test.each([
  ['store', NAMES],
  ['store-5.3.3', NAMES],
  ['store-crash', NAMES],
  ['store-extra', ['topics', 'subscriptionGroup', 'delayOffset']],
])('what Apache wrote in %s is read, and written back as Apache wrote it', async (name, names) => {
  const world = withGolden(name, names)
  const store = await world.process()
  // Touches every file.
  store.commit({ kind: 'delay', done: [] })
  await world.clock.outcome(store.close())
  for (const file of names) {
    const before = comparable(parseApacheJson(golden(`${name}/files/config/${file}.json`)))
    const after = comparable(parseApacheJson(world.text(`/data/config/${file}.json`)))
    const added = file === 'delayOffset' ? { offsetTable: { 0: 0 } } : {}
    expect(after).toMatchObject(Object(before))
    expect(before).toMatchObject(file === 'delayOffset' ? {} : Object(after))
    expect(after).toMatchObject(added)
  }
})

test('the tables say what the files say', async () => {
  const world = withGolden('store')
  const store = await world.process()
  expect(store.topics.size).toBe(43)
  expect(store.topics.get('GoldenTx')?.type).toBe('TRANSACTION')
  expect(store.topics.get('GoldenInner')?.attributes.get('queue.type')).toBe('BatchCQ')
  expect(store.groups.get('GoldenFifoGroup')?.orderly).toBe(true)
  expect(store.progress.queue('GoldenSimpleGroup', 'GoldenNormal', 1).floor).toBe(43)
  expect(store.delay.levels.get(1)).toBe(4)
  // Not a group name: kept in the file, not used.
  expect(
    store.progress.find('CID_DefaultHeartBeatSyncerTopic@broadcast', 'DefaultHeartBeatSyncerTopic', 0),
  ).toBeUndefined()
})

test('files are written when their time has come, not before, and nothing runs while nothing changes', async () => {
  const world = new World()
  const store = await world.process()
  await world.clock.advance(20_000)
  expect(world.clock.pending).toBe(0)
  store.commit({ kind: 'topic-put', topic: topicConfig({ name: '__proto__', readQueues: 2 }) })
  store.commit({ kind: 'ack', ...key, records: [acked(0)] })
  store.commit({ kind: 'delay', done: [acked(0), acked(1)] })
  await world.clock.advance(1_000)
  expect(world.text('/data/config/topics.json')).toContain('"__proto__":{')
  expect(world.text('/data/config/consumerOffset.json')).not.toContain('Orders@G')
  await world.clock.advance(5_000)
  expect(world.text('/data/config/consumerOffset.json')).toContain('"Orders@G":{\n\t\t\t0:1\n')
  expect(world.text('/data/config/consumerOffset.json')).not.toContain(DELAY_GROUP)
  await world.clock.advance(5_000)
  expect(world.text('/data/config/delayOffset.json')).toContain('"offsetTable":{\n\t\t0:2\n')
  expect(store.progress.queue(DELAY_GROUP, TIMER_TOPIC, 0).floor).toBe(2)
  expect(world.clock.pending).toBe(0)
})

test('a crash between journal and file is not taken for an order of the operator, an edit is', async () => {
  const world = new World()
  const first = await world.process()
  first.commit({ kind: 'ack', ...key, records: [acked(0), acked(1), acked(5)] })
  first.commit({ kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(2)] })
  await world.clock.advance(6_000)
  first.commit({ kind: 'ack', ...key, records: [acked(2)] })
  world.disk.kill()
  const second = await world.process()
  expect(second.progress.queue('G', 'Orders', 0).floor).toBe(3)
  await world.clock.outcome(second.close())
  const path = '/data/config/consumerOffset.json'
  world.put(path, world.text(path).replace('0:3', '0:1'))
  const third = await world.process()
  const queue = third.progress.queue('G', 'Orders', 0)
  expect([queue.floor, queue.isAcked(5), queue.lease(2)]).toEqual([1, false, undefined])
  expect(queue.generation.servingEpoch).toBeGreaterThan(0)
  await world.clock.outcome(third.close())
  // A slave is not the place for it: what an operator edits there is overwritten.
  world.put(path, world.text(path).replace('0:1', '0:7'))
  const fourth = await world.process({ acceptEdits: false })
  expect(fourth.progress.queue('G', 'Orders', 0).floor).toBe(1)
})

test('a corrupt file falls back to its copy; both corrupt stops the start by name', async () => {
  const world = new World()
  const first = await world.process()
  first.commit({ kind: 'topic-put', topic: topicConfig({ name: 'Orders' }) })
  await world.clock.advance(1_000)
  first.commit({ kind: 'topic-put', topic: topicConfig({ name: 'Bills' }) })
  await world.clock.outcome(first.close())
  world.disk.remove('/data/journal')
  world.put('/data/config/topics.json', '{"topicConfigTable":{')
  const second = await world.process()
  expect([...second.topics.names()]).toEqual(['Orders'])
  world.disk.kill()
  world.put('/data/config/topics.json', '')
  world.put('/data/config/topics.json.bak', '[]')
  await expect(world.process()).rejects.toMatchObject({
    code: 'STATE_FILE_CORRUPT',
    facts: { file: '/data/config/topics.json' },
  })
})

test('hostile names in a file are kept there, and never become names', async () => {
  const world = new World()
  const names = ['../../etc/passwd', 'a/b', '', 'é', 'x'.repeat(128), 'a b', '.', 'good|name-1_%']
  world.put(
    '/data/config/topics.json',
    `{"dataVersion":{},"topicConfigTable":{${names.map(entry).join(',')},"liar":{"topicName":"other"},"odd":{"topicName":"odd","perm":"x"}}}`,
  )
  world.put(
    '/data/config/consumerOffset.json',
    '{"offsetTable":{"T@G":{0:-1},"T@../G":{0:5},"T@H":{"0":7,1:9007199254740993},"U@H":{"3":4}}}',
  )
  const store = await world.process()
  expect([...store.topics.names()]).toEqual(['good|name-1_%'])
  expect(
    [...store.progress.all()].map((queue) => [queue.topic, queue.group, queue.queueId, queue.floor]),
  ).toEqual([['U', 'H', 3, 4]])
  await world.clock.outcome(store.close())
  expect(world.text('/data/config/topics.json')).toContain('"../../etc/passwd"')
  expect(world.text('/data/config/consumerOffset.json')).toContain('1:9007199254740993')
})

function entry(name: string): string {
  return `${JSON.stringify(name)}:{"topicName":${JSON.stringify(name)},"readQueueNums":1}`
}
