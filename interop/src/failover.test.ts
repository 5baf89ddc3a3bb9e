import { describe, test } from 'vitest'
import { Clients } from './clients.ts'
import { commitLog } from './commit-log.ts'
import { LocalCluster } from './local-cluster.ts'
import { until } from './until.ts'
import { Workload } from './workload.ts'

const TOPIC = 'Failover'
/** What the journal and the way to the slave may lack when a master is killed. */
const LAST_ACKS_MS = 200

type Loss = {
  readonly strike: (cluster: LocalCluster) => Promise<void>
  readonly cure: (cluster: LocalCluster) => Promise<void>
}

const killed: Loss = {
  strike: (cluster) => cluster.end('broker-master', 'SIGKILL'),
  cure: (cluster) => cluster.restart('broker-master'),
}
const paused: Loss = {
  strike: (cluster) => Promise.resolve(cluster.signal('broker-master', 'SIGSTOP')),
  cure: (cluster) => Promise.resolve(cluster.signal('broker-master', 'SIGCONT')),
}

describe.concurrent.each([
  ['async', 'SIGKILL', killed],
  ['sync', 'SIGKILL', killed],
  ['sync', 'SIGSTOP', paused],
] as const)('%s replication, the master gets %s under load', (replication, _signal, { strike, cure }) => {
  test('consumers go on from the slave, and nothing acknowledged is lost or comes again', async ({
    expect,
  }) => {
    await using cluster = await LocalCluster.start(['--replication', replication])
    await using clients = new Clients(cluster)
    const producer = await clients.producer(TOPIC)
    const consumer = await clients.simple('failover', TOPIC)
    const work = new Workload(TOPIC)
    while (work.accepted < 400) await Promise.all(Array.from({ length: 40 }, () => work.send(producer)))
    const sending = work.keepSending(producer)
    void work.keepConsuming(consumer)

    await work.reached(() => work.consumed >= 100)
    const struckAt = performance.now()
    const from = cluster.log.length
    await strike(cluster)

    // The slave serves: messages come and acknowledgements are taken through the same address.
    await cluster.lines.line(['serving token granted', 'holder=broker-a-1'], from)
    const before = work.consumed
    const failures = work.sendFailures.length
    await work.reached(() => work.consumed >= before + 50 && work.sendFailures.length >= failures + 2)
    expect(await cluster.api.set()).toMatchObject({ serving: { identity: 'broker-a-1' } })
    for (const { message } of work.sendFailures)
      expect(message).toMatch(/NO_WRITABLE_BROKER: .* try again|FATE_UNKNOWN: /)
    expect(work.sendFailures.at(-1)?.message).toContain(
      'no master of broker-a takes messages now; nothing was stored',
    )

    const accepted = work.accepted
    await cure(cluster)
    await cluster.lines.line(['handed serving back to the master'], from)
    await work.reached(() => work.accepted >= accepted + 50)
    work.stopSending()
    await sending
    await work.reached(() => work.ledger.isComplete && work.consumed >= work.accepted)
    work.stopConsuming()

    const totals = work.ledger.totals()
    expect(totals.lost).toBe(0)
    expect(totals.unknown).toBeGreaterThan(0)
    const impossible = work.repeats.filter(
      ({ ackedAt }) => ackedAt < struckAt - LAST_ACKS_MS || ackedAt > struckAt,
    )
    expect(impossible).toEqual([])

    const { end } = await until('the slave to be level', async () => {
      const [master, slave] = [await cluster.api.member('broker-a-0'), await cluster.api.member('broker-a-1')]
      return master.end === slave.end && master.end > 0 ? master : undefined
    })
    expect((await cluster.api.set()).serving?.identity).toBe('broker-a-0')
    await clients[Symbol.asyncDispose]()
    for (const service of ['broker-slave', 'broker-master']) await cluster.end(service, 'SIGTERM')
    const copy = commitLog(cluster.data, 'broker-slave', end)
    expect(copy.length).toBe(end)
    expect(copy.equals(commitLog(cluster.data, 'broker-master', end))).toBe(true)
  })
})

test.concurrent('with two sets, sends and receives go on through the loss of one master', async ({
  expect,
}) => {
  await using cluster = await LocalCluster.start(['--sets', '2'])
  await using clients = new Clients(cluster)
  const producer = await clients.producer('Everywhere', 3)
  const consumer = await clients.simple('everywhere', 'Everywhere')
  const work = new Workload('Everywhere')
  const sending = work.keepSending(producer)
  // This client asks one set after the other: one loop alone would wait at a set that has no messages.
  for (let loop = 0; loop < 8; loop += 1) void work.keepConsuming(consumer)
  await work.reached(() => work.consumed >= 40)
  const sets = (await cluster.api.state()).sets
  expect(sets.map(({ name }) => name)).toEqual(['broker-a', 'broker-b'])
  for (const { members } of sets)
    expect(members.find(({ role }) => role === 'master')?.end).toBeGreaterThan(0)

  await cluster.end('broker-b-master')
  await cluster.lines.line(['serving token granted', 'set=broker-b', 'holder=broker-b-1'])
  const accepted = work.accepted
  await work.reached(() => work.accepted >= accepted + 40)

  await cluster.restart('broker-b-master')
  await cluster.lines.line(['broker-b-slave', 'handed serving back to the master'])
  const again = work.accepted
  await work.reached(() => work.accepted >= again + 20)
  work.stopSending()
  await sending
  await work.reached(() => work.ledger.isComplete && work.consumed >= work.accepted)
  work.stopConsuming()
  // Only what was on its way to the dead master when it died is told to the application.
  expect(
    work.sendFailures.map(({ message }) => message).filter((text) => !text.includes('FATE_UNKNOWN')),
  ).toEqual([])
  expect(work.ledger.totals().lost).toBe(0)
})
