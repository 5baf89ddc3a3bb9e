import { silentMeter } from '@tandemmq/base'
import { MetadataStore } from '@tandemmq/metadata'
import { RecordingLogger, SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { cutProgress } from './progress-cut.ts'
import { ASYNC, BrokerSet } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'
import { Writability } from './writability.ts'

const GROUP = { group: 'G', topic: 'T', queueId: 0 } as const

test('a master whose disk has no room to open an epoch reads on, says why it cannot be written to, and heals by itself', async () => {
  const set = new BrokerSet(ASYNC, { slaves: 0 })
  const first = await set.start('master')
  await set.time.runUntil(() => first.problems.length === 0 && first.servingEpoch !== undefined)
  const client = new Client(set)
  const sent = await client.sendAll(3)
  await set.stop('master')
  const disk = set.machine('master').files
  for (let times = 0; times < 3; times += 1)
    disk.fail({ call: 'write', code: 'ENOSPC', matching: /epochOpeners/ })
  const master = await set.start('master')
  await set.untilServing('master')
  expect(master.problems.join()).toContain('no epoch could be opened: ENOSPC')
  await expect(client.send()).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
  expect(bodiesOf(await client.receiveAll('master'))).toEqual(sent)
  await set.time.runUntil(() => master.problems.length === 0)
  expect((await set.time.outcome(client.send())).status).toBe('OK')
})

test('the registry is told while the disk of a master is full, and without any send that there is room again', async () => {
  const set = new BrokerSet(ASYNC, { slaves: 0 })
  await set.start('master')
  await set.untilServing('master')
  const isFull = () => set.registry.view.set('broker-a')?.writable?.diskFull
  await set.time.runUntil(() => isFull() === false)
  set.machine('master').files.resize(1)
  await set.time.runUntil(() => isFull() === true)
  await expect(new Client(set).send()).rejects.toMatchObject({ code: 'DISK_FULL' })
  set.machine('master').files.resize(2 ** 40)
  await set.time.runUntil(() => isFull() === false)
})

test('progress past the end is cut before anything is appended, however long there is no room to write that down', async () => {
  const clock = new SimulatedClock()
  const disk = new SimulatedFiles({ clock, random: new SeededRandom(1) })
  disk.makeDirectory('/data')
  const metadata = await clock.outcome(
    MetadataStore.open(
      { root: '/data' },
      {
        files: disk.mount(),
        clock,
        logger: new RecordingLogger(),
        meter: silentMeter,
        log: { knowsStamp: () => true },
      },
    ),
  )
  const records = [0, 1, 2].map((at) => ({
    queueOffset: at,
    stamp: { logEpoch: 1, physicalOffset: at * 100 },
  }))
  metadata.commit({ kind: 'ack', ...GROUP, records })
  await clock.outcome(metadata.synced())
  for (let times = 0; times < 3; times += 1) disk.fail({ call: 'write', code: 'ENOSPC', matching: /journal/ })
  const writability = new Writability()
  const logger = new RecordingLogger()
  let done = 0
  const store = { queue: () => ({ maxOffset: 1 }) }
  cutProgress(metadata, store, writability, { clock, logger }, () => {
    done += 1
  })
  expect(done).toBe(0)
  expect(writability.problems.join()).toContain('cannot be cut')
  await clock.advance(500)
  expect([done, metadata.progress.queue('G', 'T', 0).floor]).toEqual([0, 3])
  await clock.runUntil(() => done > 0)
  expect([done, metadata.progress.queue('G', 'T', 0).floor]).toEqual([1, 1])
  expect(writability.isWritable).toBe(true)
})
