import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tandemmq, type CommandResult } from './cli.ts'
import { Clients } from './clients.ts'
import { commitLog } from './commit-log.ts'
import { LocalCluster } from './local-cluster.ts'
import { until } from './until.ts'
import { Workload } from './workload.ts'

const TOPIC = 'Promoted'
const FIRST = 'broker-a-0'
const SECOND = 'broker-a-1'
/** A send while nobody is master, one under way to a broker that dies, and one at a master that steps down. */
const REFUSALS =
  /NO_WRITABLE_BROKER: .* try again|FATE_UNKNOWN: |NOT_WRITABLE: another member of the set is being made its master/
/** What the journal and the way to the slave may lack when a broker is killed. */
const LAST_ACKS_MS = 200

test('the slave of a killed master is promoted by hand, the old master follows it and is promoted back: only what the old master alone held is missing, and it is saved', async () => {
  await using cluster = await LocalCluster.start(['--replication', 'async'])
  await using clients = new Clients(cluster)
  const producer = await clients.producer(TOPIC)
  const consumer = await clients.simple('promoted', TOPIC)
  const work = new Workload(TOPIC)
  const sending = work.keepSending(producer)
  void work.keepConsumingAnyway(consumer)
  await work.reached(() => work.accepted >= 60 && work.consumed >= 20)

  // What the master takes without its slave is what asynchronous replication may lose; consumers acknowledge some of it too.
  const aloneFrom = performance.now()
  await cluster.end('broker-slave')
  const { accepted, consumed } = work
  await work.reached(() => work.accepted >= accepted + 20 && work.consumed >= consumed + 20)
  const { end: heard } = await cluster.api.member(FIRST)
  await until('metadata-rpc to hear of it', async () => (await cluster.api.member(FIRST)).end > heard)
  await cluster.end('broker-master')
  const aloneUntil = performance.now()
  const slaveIsReady = cluster.restart('broker-slave')
  // If something fails before it is awaited, that is what is to be read.
  slaveIsReady.catch(() => undefined)
  await cluster.lines.line(['serving token granted', `holder=${SECOND}`])
  const { end: from } = await cluster.api.member(SECOND)
  const held = await loadIn(cluster, 'broker-master')
  const end = held.at(-1)?.end ?? 0
  const alone = new Set(held.filter(({ start }) => start >= from).map(({ number }) => number))
  const diverging = commitLog(cluster.data, 'broker-master', end).subarray(from)
  expect(alone.size).toBeGreaterThanOrEqual(20)

  // Nobody can tell a dead master from one that cannot be heard.
  const why = `the master ${FIRST} does not answer and did not take its leave: it may run where it cannot be heard, and take messages. Once it is certain that it is off, say so with --old-master-is-off`
  expect(await promote(cluster)).toEqual({
    code: 1,
    stdout: '',
    stderr: `broker-a was not given another master: ${why}\n`,
  })
  const refused = await promote(cluster, '--json')
  expect(refused).toMatchObject({ code: 1, stderr: '' })
  expect(JSON.parse(refused.stdout)).toEqual({
    promoted: false,
    error: 'PROMOTION_REFUSED',
    message: why,
    set: 'broker-a',
  })
  expect((await cluster.api.set()).writable).toBeUndefined()

  const promoted = await promote(cluster, '--old-master-is-off')
  expect(promoted).toMatchObject({ code: 0, stderr: '' })
  const said =
    /^broker-a-1 is the master of broker-a from epoch 101 on: the old master is off by the word of the operator; broker-a-1 lacks at least the last (\d+) bytes that broker-a-0 was heard to have: /
  const lacking = Number(said.exec(promoted.stdout)?.[1])
  expect(lacking, promoted.stdout).toBeGreaterThan(0)
  expect(lacking).toBeLessThanOrEqual(end - from)
  await slaveIsReady
  await takes(work, 30)
  expect(await cluster.api.set()).toMatchObject({ writable: SECOND, serving: { identity: SECOND } })

  await cluster.restart('broker-master')
  expect(await cluster.api.member(FIRST)).toMatchObject({ role: 'slave', alive: true, writable: false })
  const saved = readdirSync(join(cluster.data, 'broker-master', 'diverged'))
  expect(saved).toEqual([expect.stringMatching(new RegExp(`^${from}-${end}-\\d+$`))])
  expect(savedBytes(cluster, saved[0] ?? '').equals(diverging)).toBe(true)
  await takes(work, 10)

  const back = await promote(cluster, '--to', FIRST, '--json')
  expect(back).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(back.stdout)).toEqual({
    promoted: true,
    master: FIRST,
    epoch: 201,
    words: `${SECOND} has stepped down, and ${FIRST} holds all of its log`,
    set: 'broker-a',
  })
  await until('the first master to take messages again', async () => {
    const { writable, serving } = await cluster.api.set()
    return writable === FIRST && serving?.identity === FIRST
  })
  await takes(work, 30)
  work.stopSending()
  await sending
  await work.reached(() => work.ledger.missing().every((number) => alone.has(number)))
  work.stopConsuming()
  for (const { message } of work.sendFailures) expect(message).toMatch(REFUSALS)
  // Only what the dead master was told by consumers alone may come again.
  expect(
    work.repeats.filter(({ ackedAt }) => ackedAt < aloneFrom - LAST_ACKS_MS || ackedAt > aloneUntil),
  ).toEqual([])

  const common = await until('the two to be level', async () => {
    const [master, slave] = [await cluster.api.member(FIRST), await cluster.api.member(SECOND)]
    return master.end === slave.end && slave.role === 'slave' ? master.end : undefined
  })
  await clients[Symbol.asyncDispose]()
  for (const service of ['broker-slave', 'broker-master']) await cluster.end(service, 'SIGTERM')
  const copy = commitLog(cluster.data, 'broker-slave', common)
  expect(copy.length).toBe(common)
  expect(copy.equals(commitLog(cluster.data, 'broker-master', common))).toBe(true)
  const stored = (await loadIn(cluster, 'broker-master')).map(({ number }) => number)
  expect(new Set(stored).size).toBe(stored.length)
  expect(stored.filter((number) => alone.has(number))).toEqual([])
  const { acknowledged, unknown } = work.ledger.totals()
  expect(stored.length + alone.size).toBeGreaterThanOrEqual(acknowledged)
  expect(stored.length + alone.size).toBeLessThanOrEqual(acknowledged + unknown)
})

/** As a user would: the command in a process of its own. */
function promote(cluster: LocalCluster, ...flags: readonly string[]): Promise<CommandResult> {
  const where = ['--url', cluster.ready.http, '--data', cluster.data]
  return tandemmq('promote', '--set', 'broker-a', ...where, ...flags)
}

/** Until so many more messages were acknowledged to the producer. */
function takes(work: Workload, count: number): Promise<void> {
  const { accepted } = work
  return work.reached(() => work.accepted >= accepted + count)
}

function savedBytes(cluster: LocalCluster, name: string): Buffer {
  const directory = join(cluster.data, 'broker-master', 'diverged', name)
  const files = readdirSync(directory).toSorted()
  return Buffer.concat(files.map((file) => readFileSync(join(directory, file))))
}

interface LoadRecord {
  readonly number: number
  /** Log offsets of its first byte and of the one behind it. */
  readonly start: number
  readonly end: number
}

/** The messages of the load in the commit log of a broker that has ended. */
async function loadIn(cluster: LocalCluster, service: string): Promise<readonly LoadRecord[]> {
  const { stdout } = await tandemmq('store', 'dump', '--json', join(cluster.data, service))
  const frames = stdout
    .trimEnd()
    .split('\n')
    .map((line): DumpedFrame => JSON.parse(line))
  return frames
    .filter(({ topic }) => topic === TOPIC)
    .map(({ physicalOffset, size, bodyBase64 }) => ({
      number: Number(Buffer.from(bodyBase64, 'base64').toString()),
      start: physicalOffset,
      end: physicalOffset + size,
    }))
}

interface DumpedFrame {
  readonly topic: string
  readonly physicalOffset: number
  readonly size: number
  readonly bodyBase64: string
}
