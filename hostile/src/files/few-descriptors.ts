import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { silentLogger, silentMeter } from '@tandemmq/base'
import { topicConfig } from '@tandemmq/metadata'
import { Clients, LogLines } from '@tandemmq/interop'
import { NodeClock, NodeFiles, NodeRandom } from '@tandemmq/platform-node'
import { Victim } from '../ports/victim.ts'
import { message, openStores } from './broker-stores.ts'

const TOPICS = 250
const QUEUES = 8
const DESCRIPTORS = 256
const SEGMENT_BYTES = 1024 * 1024

/** A real broker with 2,000 queues on disk that may have no more than 256 file descriptors: it starts, and serves clients. */
export async function fewDescriptors(): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'tandemmq-few-'))
  try {
    await makeQueues(root)
    return await serve(root)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function makeQueues(root: string): Promise<void> {
  const ports = { files: new NodeFiles(), clock: new NodeClock(), random: new NodeRandom() }
  const options = {
    root,
    segmentBytes: SEGMENT_BYTES,
    consumeQueueFileBytes: 6_000_000,
    maxMessageBytes: 4096,
  }
  const { store, metadata } = await openStores(options, {
    ...ports,
    logger: silentLogger,
    meter: silentMeter,
  })
  await store.createLineage()
  await store.openEpoch()
  for (let topic = 0; topic < TOPICS; topic += 1) {
    metadata.commit({ kind: 'topic-put', topic: topicConfig({ name: `t-${topic}`, readQueues: QUEUES }) })
    for (let queue = 0; queue < QUEUES; queue += 1)
      store.append(message(`t-${topic}`, queue, `${topic}/${queue}`))
  }
  await store.flush()
  await store.dispatched.reached(store.end)
  await metadata.close()
  await store.close()
}

async function serve(root: string): Promise<string> {
  const port = await freePort()
  const settings = {
    storePathRootDir: root,
    grpcPort: port,
    haListenPort: 0,
    httpPort: 0,
    mappedFileSizeCommitLog: SEGMENT_BYTES,
    maxMessageSize: 4096,
  }
  const lines = new LogLines()
  const broker = startLimited(Object.entries(settings).map(([key, value]) => `${key}=${value}`))
  lines.follow(broker.stdout ?? process.stdin)
  lines.follow(broker.stderr ?? process.stdin)
  try {
    await lines.line(['broker is up'])
    await using clients = new Clients({ endpoints: `127.0.0.1:${port}` })
    for (const topic of ['t-0', 't-7', 't-249']) {
      const producer = await clients.producer(topic)
      await producer.send({ topic, body: Buffer.from('more') })
      const consumer = await clients.simple(`group-${topic}`, topic, '*', 2_000)
      let received = 0
      for (let rounds = 0; received <= QUEUES && rounds < 20; rounds += 1) {
        received += (await consumer.receive(16, 30_000)).length
      }
      if (received <= QUEUES) throw new Error(`received ${received} of ${QUEUES + 1} messages of ${topic}`)
    }
    const { descriptors } = new Victim(broker.pid ?? 0)
    return `${TOPICS * QUEUES} queues, up and serving with ${descriptors} of ${DESCRIPTORS} descriptors open`
  } finally {
    broker.kill('SIGTERM')
    await once(broker, 'exit')
  }
}

function startLimited(args: readonly string[]): ChildProcess {
  const main = fileURLToPath(new URL('../../../services/broker-master/src/main.ts', import.meta.url))
  const node = [process.execPath, '--conditions=@tandemmq/source', main, ...args]
  return spawn('bash', ['-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'bash', ...node], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}
