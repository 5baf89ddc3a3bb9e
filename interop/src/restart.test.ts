import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Clients } from './clients.ts'
import { commitLog } from './commit-log.ts'
import { freshDirectory, LocalCluster } from './local-cluster.ts'
import { until } from './until.ts'
import { Workload } from './workload.ts'

const TOPIC = 'Kept'
const FLAGS = ['--slaves', '2']

test('a stop is clean, a second start goes on; slaves come and go; too few replicas refuse a send and store nothing', async () => {
  const data = await freshDirectory()
  try {
    const work = new Workload(TOPIC)
    const consumed = await firstRun(data, work)
    await secondRun(data, work, consumed)
  } finally {
    await rm(data, { recursive: true, force: true })
  }
})

/** Sends 60, consumes about half, stops by SIGTERM. Returns how many were acknowledged. */
async function firstRun(data: string, work: Workload): Promise<number> {
  await using cluster = await LocalCluster.start(FLAGS, data)
  const clients = new Clients(cluster)
  const producer = await clients.producer(TOPIC)
  while (work.accepted < 60) await work.send(producer)
  const consumer = await clients.simple('kept', TOPIC)
  const consuming = work.keepConsuming(consumer)
  await work.reached(() => work.consumed >= 30)
  work.stopConsuming()
  await consuming
  await clients[Symbol.asyncDispose]()
  expect(await cluster.stop('SIGTERM')).toBe(0)
  expect(cluster.log.filter((line) => /\b(warn|error)\b/.test(line))).toEqual([])
  for (const pid of Object.values(cluster.ready.services).map((service) => service.pid)) {
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  }
  return work.consumed
}

async function secondRun(data: string, work: Workload, consumedBefore: number): Promise<void> {
  await using cluster = await LocalCluster.start(FLAGS, data)
  await using clients = new Clients(cluster)
  expect(cluster.log.filter((line) => /\b(warn|error)\b/.test(line))).toEqual([])
  const consumer = await clients.simple('kept', TOPIC)
  work.goOn()
  void work.keepConsuming(consumer)
  await work.reached(() => work.consumed >= 60)
  expect(work.repeats).toEqual([])
  expect(work.ledger.totals()).toMatchObject({ lost: 0, duplicated: 0 })
  expect(consumedBefore).toBeLessThan(60)

  // One of two slaves is away: sends go on. It comes back and copies what it lacks.
  await cluster.end('broker-slave')
  const producer = await clients.producer(TOPIC)
  while (work.accepted < 80) await work.send(producer)
  await cluster.restart('broker-slave')
  const before = await level(cluster, ['broker-a-0', 'broker-a-1', 'broker-a-2'])
  expect(cluster.log.some((line) => /following the master.*offset"?[=:][1-9]/.test(line))).toBe(true)

  // Both are away: a send is refused before it is stored.
  await cluster.end('broker-slave', 'SIGTERM')
  await cluster.end('broker-slave-2', 'SIGTERM')
  await until('the master to know', async () => {
    const { replicas } = await cluster.api.member('broker-a-0')
    return replicas === undefined || replicas.every(({ state }) => state !== 'in sync')
  })
  const failures = work.sendFailures.length
  await work.send(producer)
  expect(work.sendFailures.slice(failures).map(({ message }) => message)).toEqual([
    expect.stringContaining('IN_SYNC_REPLICAS_NOT_ENOUGH'),
  ])
  expect((await cluster.api.member('broker-a-0')).end).toBe(before)
  await cluster.restart('broker-slave')
  await level(cluster, ['broker-a-0', 'broker-a-1'])
  await work.send(producer)
  await work.reached(() => work.ledger.isComplete && work.consumed >= work.accepted)
  work.stopConsuming()
  expect(work.repeats).toEqual([])

  const end = await level(cluster, ['broker-a-0', 'broker-a-1'])
  await clients[Symbol.asyncDispose]()
  expect(await cluster.stop('SIGINT')).toBe(0)
  const log = commitLog(data, 'broker-master', end)
  expect(log.length).toBe(end)
  expect(commitLog(data, 'broker-slave', end).equals(log)).toBe(true)
}

/** Resolves with the common end of their logs. */
function level(cluster: LocalCluster, identities: readonly string[]): Promise<number> {
  return until(`${identities.join(', ')} to be level`, async () => {
    const members = await Promise.all(identities.map((identity) => cluster.api.member(identity)))
    const [end] = members.map((member) => member.end)
    return members.every((member) => member.end === end && member.alive) ? end : undefined
  })
}
