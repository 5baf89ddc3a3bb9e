import { cpSync } from 'node:fs'
import { Clients, until } from '@tandemmq/interop'
import { expect, test } from 'vitest'
import { ApacheBroker } from './apache-broker.ts'
import { ApacheClient } from './apache-client.ts'
import { apacheServesAll } from './apache-sees.test-kit.ts'
import { freePort } from './free-ports.ts'
import { Load } from './load.ts'
import { readLog } from './log-file-records.ts'
import { OurBroker } from './our-broker.ts'
import { RunDirectory } from './run-directory.test-kit.ts'
import { sameLog } from './same-log.test-kit.ts'

test('a slave of Apache follows our master, through restarts of either in the middle of load', async (context) => {
  const run = new RunDirectory(context)
  const original = run.join('ours')
  const copy = run.join('apache')
  const home = run.home('client')
  await using client = await ApacheClient.start(home)
  const namesrvAddr = await client.nameServer(home)
  const ports = { grpcPort: await freePort(), haListenPort: await freePort() }
  await client.register(namesrvAddr, `127.0.0.1:${ports.grpcPort}`, `127.0.0.1:${ports.haListenPort}`)

  const master = (keys = {}): Promise<OurBroker> =>
    OurBroker.start({
      role: 'master',
      store: original,
      home: run.home('ours'),
      keys: { ...ports, haLegacySlaves: true, createLog: true, ...keys },
    })
  const slave = (): Promise<ApacheBroker> =>
    ApacheBroker.start({
      store: copy,
      home: run.home('apache'),
      keys: { brokerRole: 'SLAVE', brokerId: 1, namesrvAddr, slaveReadEnable: true },
    })

  {
    await using ours = await master()
    await using clients = new Clients(ours)
    const load = await loadOf(clients)
    // Three files: a master of Apache's would send the last one only.
    await load.burst(500)
    expect(readLog(original).end).toBeGreaterThan(2 * 2 ** 20)
    {
      await using theirs = await slave()
      await load.burst(200)
      await sameLog(original, copy)
      await load.burst(200, () => theirs.kill())
      expect(theirs.complaints().filter((line) => !UNTIL_IT_IS_FOUND.test(line))).toEqual([])
    }
    await load.burst(100)
    // Whoever stops while nobody is connected stops as ever.
    await ours.kill()
  }
  await using theirs = await slave()
  {
    await using ours = await master()
    await using clients = new Clients(ours)
    const load = await loadOf(clients)
    await load.burst(200)
    await sameLog(original, copy)
    await load.burst(100, () => ours.kill())
  }
  // What it reports completes sends from here on: without it none would be acknowledged.
  await using ours = await master({
    brokerRole: 'SYNC_MASTER',
    inSyncReplicas: 2,
    totalReplicas: 2,
    haLegacyCounts: true,
  })
  await using clients = new Clients(ours)
  const load = await loadOf(clients)
  await load.burst(100)
  await sameLog(original, copy)
  expect(readLog(copy).begin).toBe(0)
  // It is refused while there is no slave, and told.
  const expected = ['that is no gRPC', 'a torn tail of the commit log was cut off', 'messages are refused']
  expect(ours.complaints().filter((line) => !expected.some((words) => line.includes(words)))).toEqual([])

  // Its topics would come from a master that speaks remoting: by hand, it serves every message.
  await theirs.stop()
  cpSync(`${original}/config`, `${copy}/config`, { recursive: true })
  await using again = await slave()
  expect(await apacheServesAll(client, again, copy)).toBeGreaterThanOrEqual(1_100)
})

/** It hears of its master from the name server after the first attempt, and from its first minute on it asks our port for metadata by remoting. */
const UNTIL_IT_IS_FOUND =
  /HAClient connect to master null failed|Sync\w+ Exception|invokeSync: send request exception/

async function loadOf(clients: Clients): Promise<Load> {
  // The client shares its connections by address, and one that saw our master go is left alone for seconds: a start in them fails.
  const producer = await until('a producer to reach our master', () => clients.producer('Load'))
  return new Load(async (body) => (await producer.send({ topic: 'Load', body })).messageId)
}
