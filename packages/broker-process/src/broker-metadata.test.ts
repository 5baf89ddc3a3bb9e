import { BrokerError, silentLogger, silentMeter } from '@tandemmq/base'
import { Broker, type BrokerOptions } from '@tandemmq/broker'
import { groupConfig, topicConfig, type MetadataSource } from '@tandemmq/metadata'
import { SeededRandom, SimulatedClock, SimulatedMachine, SimulatedNet } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { BrokerMetadata } from './broker-metadata.ts'

const away = (): Promise<never> => Promise.reject(new BrokerError('UNAVAILABLE', 'there is no other broker'))
const nobody: MetadataSource = { pull: away, watch: away, handBack: away }

const ROLES = {
  master: {
    master: {
      haListen: { host: 'broker', port: 10912 },
      haAdvertisedHost: 'broker',
      createLog: true,
      acceptLoss: false,
    },
  },
  slave: {
    slave: {
      masterHa: { host: 'other', port: 10912 },
      masterGrpc: 'other:8081',
      pullIntervalMs: 10_000,
      watch: true,
    },
  },
} satisfies Record<string, Partial<BrokerOptions>>

async function administrationOf(role: Partial<BrokerOptions>) {
  const time = new SimulatedClock()
  const random = new SeededRandom(1)
  const net = new SimulatedNet({ clock: time, random })
  const machine = new SimulatedMachine({ name: 'broker', time, net, random })
  const ports = {
    ...machine.boot(),
    logger: silentLogger,
    meter: silentMeter,
    metadataSource: () => nobody,
  }
  const options: BrokerOptions = {
    cluster: 'DefaultCluster',
    set: 'broker-a',
    identity: 'broker',
    totalReplicas: 2,
    root: '/store',
    bootId: 'boot 1',
    segmentBytes: 256 * 1024,
    index: { slots: 50, entries: 200 },
    maxMessageBytes: 64 * 1024,
    storeHost: { ip: '10.0.0.1', port: 10911 },
    mode: { replication: 'async', flush: 'async', inSyncReplicas: 1 },
    create: { topics: true, groups: true, queues: 4 },
    secret: Buffer.from('the secret of the set'),
    grpcAddress: 'broker:8081',
    haIfMaster: 'broker:10912',
    flushTimeoutMs: 5_000,
    slaveTimeoutMs: 3_000,
    ...role,
  }
  const broker = await time.outcome(Broker.open(options, ports))
  return { admin: new BrokerMetadata(broker), broker, time }
}

test('rule 5.4: only the master creates, changes and deletes topics and groups', async () => {
  const { admin, broker, time } = await administrationOf(ROLES.master)
  const { topics, groups } = broker.metadata
  await time.outcome(admin.putTopic(topicConfig({ name: 'Orders' })))
  await time.outcome(admin.putGroup(groupConfig({ name: 'billing' })))
  expect([[...topics.names()], [...groups.names()]]).toEqual([['Orders'], ['billing']])
  await time.outcome(admin.deleteTopic('Orders'))
  await time.outcome(admin.deleteGroup('billing'))
  expect([topics.size, groups.size]).toEqual([0, 0])
  await expect(admin.deleteTopic('Orders')).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
  await expect(admin.deleteGroup('billing')).rejects.toMatchObject({ code: 'GROUP_NOT_FOUND' })
  await time.outcome(broker.close())
})

test('rule 5.4: a slave refuses all of that, and says who does it', async () => {
  const { admin, broker, time } = await administrationOf(ROLES.slave)
  const { metadata } = broker
  metadata.merge({
    topics: [
      { kind: 'topic-put', topic: topicConfig({ name: 'Orders' }), version: { processEpoch: 1, counter: 1 } },
    ],
    groups: [
      {
        kind: 'group-put',
        group: groupConfig({ name: 'billing' }),
        version: { processEpoch: 1, counter: 2 },
      },
    ],
  })
  const refused = expect.objectContaining({
    code: 'NOT_WRITABLE',
    message: expect.stringContaining('on its master'),
  })
  await expect(admin.putTopic(topicConfig({ name: 'Others' }))).rejects.toEqual(refused)
  await expect(admin.deleteTopic('Orders')).rejects.toEqual(refused)
  await expect(admin.putGroup(groupConfig({ name: 'audit' }))).rejects.toEqual(refused)
  await expect(admin.deleteGroup('billing')).rejects.toEqual(refused)
  expect([[...metadata.topics.names()], [...metadata.groups.names()]]).toEqual([['Orders'], ['billing']])
  await time.outcome(broker.close())
})
