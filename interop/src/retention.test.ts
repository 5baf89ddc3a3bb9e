import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Clients } from './clients.ts'
import { freshDirectory, LocalCluster } from './local-cluster.ts'
import { until } from './until.ts'

const TOPIC = 'Old'
const SEGMENT = 65_536
const ALL_HOURS = Array.from({ length: 24 }, (_, hour) => hour).join(';')
/** Everything but the newest file expires at once. */
const AT_ONCE = [
  `mappedFileSizeCommitLog=${SEGMENT}`,
  'fileReservedTime=0',
  `deleteWhen=${ALL_HOURS}`,
  'cleanResourceInterval=100',
  'deleteCommitLogFilesInterval=0',
]
/** About twelve to a file. */
const BODY_BYTES = 5_000

test('a consumer behind goes on where the log begins; a slave that lags is waited for; one that is too old starts over', async () => {
  const data = await freshDirectory()
  try {
    await using cluster = await LocalCluster.start(['--replication', 'async'], data)
    // Before the first message a log may still get shorter files.
    await cluster.end('broker-slave', 'SIGTERM')
    await cluster.end('broker-master', 'SIGTERM')
    await cluster.restart('broker-master', AT_ONCE)
    await cluster.restart('broker-slave', [`mappedFileSizeCommitLog=${SEGMENT}`])
    await using clients = new Clients(cluster)
    const producer = await clients.producer(TOPIC, 3)
    let sent = 0
    const send = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        await producer.send({ topic: TOPIC, body: Buffer.from(String(sent).padEnd(BODY_BYTES)) })
        sent += 1
      }
    }

    const consumer = await clients.simple('behind', TOPIC, '*', 1_000)
    await send(16)
    const early = await consumer.receive(1, 15_000)
    for (const message of early) await consumer.ack(message)
    await send(100)
    await expired(data, sent - 1)
    expect(begin(data, 'broker-slave')).toBe(0)
    // Nothing that is left is missing, nothing that has gone comes, and the application sees no exception.
    const got = new Set<number>()
    await until('the rest to be received', async () => {
      for (const message of await consumer.receive(16, 15_000)) {
        got.add(Number(message.body.toString()))
        await consumer.ack(message)
      }
      return got.has(sent - 1) && (await consumer.receive(1, 15_000)).length === 0
    })
    const inLog = numbersIn(data, 'broker-master')
    expect(got.size).toBeLessThan(60)
    for (const number of inLog) if (number > 16) expect(got).toContain(number)

    // A slave that has stopped copying is waited for.
    cluster.signal('broker-slave', 'SIGSTOP')
    const held = cluster.lines.line(['kept beyond their time', 'broker-a-1'])
    await send(60)
    await held
    await send(60)
    expect(written(data, 'broker-master').length).toBeGreaterThan(8)
    cluster.signal('broker-slave', 'SIGCONT')
    await level(cluster)
    await expired(data, sent - 1)
    expectSameBytes(data)

    // One that is away for longer than the master is told to wait starts over.
    await cluster.end('broker-slave')
    await cluster.end('broker-master', 'SIGTERM')
    await cluster.restart('broker-master', [...AT_ONCE, 'haRetentionHoldBytes=0'])
    await send(100)
    await expired(data, sent - 1)
    const startsOver = cluster.lines.line(['starting over at'])
    await cluster.restart('broker-slave', [`mappedFileSizeCommitLog=${SEGMENT}`])
    await startsOver
    await level(cluster)
    expect(begin(data, 'broker-slave')).toBe(begin(data, 'broker-master'))
    expectSameBytes(data)
    expect(readdirSync(join(data, 'broker-slave'))).not.toContain('diverged')
  } finally {
    await rm(data, { recursive: true, force: true })
  }
})

/** Names of the log's files, oldest first. */
function files(data: string, service: string): readonly string[] {
  return readdirSync(join(data, service, 'commitlog'))
    .filter((name) => /^\d{20}$/.test(name))
    .toSorted()
}

function begin(data: string, service: string): number {
  return Number(files(data, service)[0])
}

/** Nothing is left of the master's log but the file that holds message `last`, the newest. */
function expired(data: string, last: number): Promise<boolean> {
  return until('all but the newest file to expire', () => {
    const [only, ...others] = written(data, 'broker-master')
    return others.length === 0 && numbersOf(data, 'broker-master', only ?? '').includes(last)
  })
}

/** Files that hold messages. (Behind them lie others that are prepared, zeros.) */
function written(data: string, service: string): readonly string[] {
  return files(data, service).filter((name) => numbersOf(data, service, name).length > 0)
}

/** Numbers of the messages that the log's files hold. */
function numbersIn(data: string, service: string): readonly number[] {
  return files(data, service).flatMap((name) => numbersOf(data, service, name))
}

function numbersOf(data: string, service: string, name: string): readonly number[] {
  const text = readFileSync(join(data, service, 'commitlog', name)).toString('latin1')
  return [...text.matchAll(/(\d+) {4000}/g)].map(([, number]) => Number(number))
}

/** What master and slave both have is the same. */
function expectSameBytes(data: string): void {
  const own = new Set(files(data, 'broker-slave'))
  const common = files(data, 'broker-master').filter((name) => own.has(name))
  expect(common.length).toBeGreaterThan(0)
  for (const name of common) {
    const [one, other] = ['broker-master', 'broker-slave'].map((service) =>
      readFileSync(join(data, service, 'commitlog', name)),
    )
    expect(one?.equals(other ?? Buffer.alloc(0)), name).toBe(true)
  }
}

function level(cluster: LocalCluster): Promise<number> {
  return until('master and slave to be level', async () => {
    const [master, slave] = await Promise.all(
      ['broker-a-0', 'broker-a-1'].map((name) => cluster.api.member(name)),
    )
    return master?.alive === true && slave?.alive === true && master.end === slave.end
      ? master.end
      : undefined
  })
}
