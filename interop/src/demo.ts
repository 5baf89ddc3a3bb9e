import { once } from 'node:events'
import { Producer, SimpleConsumer } from 'rocketmq-client-nodejs'
import { Ledger, type LedgerTotals } from './ledger.ts'
import { LocalCluster } from './local-cluster.ts'
import { quietClientLog } from './quiet-client-log.ts'

/** The failover demo: numbered messages through a running cluster, the master killed in the middle and restarted. */
const RUN_MS = 12_000
const KILL_AT_MS = 3_000
const RESTART_AT_MS = 8_000
/** After the producer has stopped, what was acknowledged must arrive within this time. */
const DRAIN_MS = 20_000
const SEND_EVERY_MS = 10
/** Messages that wait for the consumer at the start: it always has something to read, so its pauses are the cluster's. */
const BACKLOG = 1_500
/** The consumer's pace: it takes a batch this often. */
const BATCH = 4
const BATCH_EVERY_MS = 25
const TOPIC = 'FailoverDemo'

interface DemoRun {
  readonly replication: string
  readonly okMeans: string
  readonly totals: LedgerTotals
}

async function run(replication: 'async' | 'sync'): Promise<DemoRun> {
  await using cluster = await LocalCluster.start(['--replication', replication])
  const ledger = new Ledger()
  const connection = { endpoints: cluster.ready.grpc, namespace: '', logger: quietClientLog }
  const producer = new Producer({ ...connection, topic: TOPIC, maxAttempts: 1 })
  await producer.startup()
  const consumer = new SimpleConsumer({
    ...connection,
    consumerGroup: 'failover-demo',
    subscriptions: new Map([[TOPIC, '*']]),
    awaitDuration: 5_000,
  })
  await consumer.startup()

  let number = 0
  const next = (): Promise<void> => send(producer, ledger, ++number)
  for (let sent = 0; sent < BACKLOG; sent += 50) await Promise.all(Array.from({ length: 50 }, next))

  const began = performance.now()
  const elapsed = (): number => performance.now() - began
  const stopped = new AbortController()
  const consuming = consume(consumer, ledger, stopped.signal)
  const story = (async () => {
    await until(elapsed, KILL_AT_MS)
    say(`  ${seconds(elapsed())}  broker-master gets SIGKILL`)
    cluster.signal('broker-master', 'SIGKILL')
    await until(elapsed, RESTART_AT_MS)
    await cluster.restart('broker-master')
    say(`  ${seconds(elapsed())}  broker-master is back`)
  })()

  const sending: Promise<void>[] = []
  for (let turn = 1; elapsed() < RUN_MS; turn++) {
    sending.push(next())
    await until(elapsed, turn * SEND_EVERY_MS)
  }
  await Promise.all([story, ...sending])
  const drainedBy = elapsed() + DRAIN_MS
  while (!ledger.isComplete && elapsed() < drainedBy) await until(elapsed, elapsed() + 100)

  stopped.abort()
  await consuming
  await Promise.allSettled([producer.shutdown(), consumer.shutdown()])
  return { replication, okMeans: cluster.ready.okMeans, totals: ledger.totals() }
}

async function send(producer: Producer, ledger: Ledger, number: number): Promise<void> {
  ledger.sent(number)
  try {
    await producer.send({ topic: TOPIC, body: Buffer.from(String(number)) })
    ledger.acknowledged(number)
  } catch {
    ledger.refused(number) // The ledger's column "unknown": the application saw an error and may send again.
  }
}

async function consume(consumer: SimpleConsumer, ledger: Ledger, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    const pace = once(AbortSignal.timeout(BATCH_EVERY_MS), 'abort')
    const messages = await consumer.receive(BATCH, 15_000)
    await Promise.all(
      messages.map(async (message) => {
        const number = Number(message.body.toString())
        ledger.received(number, performance.now())
        await consumer.ack(message)
        ledger.consumed(number)
      }),
    )
    await pace
  }
}

async function until(elapsed: () => number, at: number): Promise<void> {
  const left = at - elapsed()
  if (left > 0) await once(AbortSignal.timeout(Math.ceil(left)), 'abort')
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(5)} s`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function table(runs: readonly DemoRun[]): string {
  const columns: readonly (readonly [string, (run: DemoRun) => string])[] = [
    ['replication', (it) => it.replication],
    ['sent', (it) => String(it.totals.sent)],
    ['acknowledged', (it) => String(it.totals.acknowledged)],
    ['unknown', (it) => String(it.totals.unknown)],
    ['received', (it) => String(it.totals.received)],
    ['lost', (it) => String(it.totals.lost)],
    ['duplicated', (it) => String(it.totals.duplicated)],
    ['longest pause', (it) => `${it.totals.longestPauseMs} ms`],
  ]
  const widths = columns.map(([title, cell]) => Math.max(title.length, ...runs.map((it) => cell(it).length)))
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('   ')
  return [
    line(columns.map(([title]) => title)),
    ...runs.map((it) => line(columns.map(([, cell]) => cell(it)))),
  ].join('\n')
}

if (process.argv.length > 2) {
  process.stderr.write('usage: npm run demo, which takes no arguments\n')
  process.exit(2)
}
const runs: DemoRun[] = []
for (const replication of ['async', 'sync'] as const) {
  say(
    `${replication} replication: ${1000 / SEND_EVERY_MS} messages a second for ${RUN_MS / 1000} s, one consumer`,
  )
  const done = await run(replication)
  say(`          ${done.okMeans}`)
  runs.push(done)
}
say('')
say(table(runs))
const lost = runs.some((it) => it.totals.lost > 0)
say('')
say(
  lost
    ? 'An acknowledged message is missing.'
    : 'Every acknowledged message arrived, through the loss and the return of the master.',
)
process.exitCode = lost ? 1 : 0
