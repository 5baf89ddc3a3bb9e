import { rocketmq } from '@tandemmq/rpc'
import type { Matrix } from '../matrix.ts'
import {
  data,
  grpcMessage,
  headers,
  opening,
  PREFACE,
  requestBlock,
  settings,
  windowUpdate,
} from './http2-wire.ts'
import { Http2Answers } from './http2-answers.ts'
import { ANSWERED_MS } from './outcome.ts'
import type { PortStand } from './port-stand.ts'
import { RawPeer, within } from './raw-peer.ts'

const SERVICE = '/apache.rocketmq.v2.MessagingService/'
const TOPIC = 'Large'
const MESSAGES = 8
const MESSAGE_BYTES = 1024 * 1024
const CONNECTIONS = 2
/** A receive carries at most 4 MiB: three messages. */
const RECEIVES = 30
/** What is unread of three connections, and copied on the way. */
const GROWTH_MAX_MB = 400

/** Clients that ask for much and never read it. */
export async function unread(matrix: Matrix, stand: PortStand): Promise<void> {
  await matrix.row(
    {
      target: 'metadata-rpc grpc',
      attack: `${CONNECTIONS * RECEIVES} receives of 3 MiB, windows open, nothing read`,
      expected: 'what is unread is bounded, connections are cut, the honest client goes on',
    },
    async () => {
      const producer = await stand.clients.producer(TOPIC)
      for (let n = 0; n < MESSAGES; n++)
        await producer.send({ topic: TOPIC, body: Buffer.alloc(MESSAGE_BYTES) })
      const address = stand.address('metadata-rpc', 'grpc') ?? ''
      const tells = { tells: 'answers to receives are not taken', growthMaxMB: GROWTH_MAX_MB }
      return stand.measured('metadata-rpc', tells, () => receiveUnread(address))
    },
  )
  await matrix.row(
    {
      target: 'metadata-rpc grpc',
      attack: '200,000 settings on one Telemetry stream, no answer read',
      expected: 'the stream or the connection is closed',
    },
    () =>
      stand.measured('metadata-rpc', {}, () => settingsUnread(stand.address('metadata-rpc', 'grpc') ?? '')),
  )
}

async function receiveUnread(address: string): Promise<string> {
  const peers = await RawPeer.open(address, CONNECTIONS, false)
  try {
    for (const [index, peer] of peers.entries()) {
      await peer.say(Buffer.concat([PREFACE, settings([4, 2 ** 31 - 1]), windowUpdate(0, 2 ** 30)]))
      for (let call = 0; call < RECEIVES; call++)
        await peer.say(receive(call * 2 + 1, `hostile-${index}-${call}`))
    }
    const outcome = await within(20_000, Promise.race(peers.map(({ closed }) => closed)))
    // Who never reads does not see the end either: the service's own words count, which the row waits for.
    return `${peers.length} connections, ${outcome === 'late' ? 'none saw its end' : 'one saw its end'}`
  } finally {
    for (const peer of peers) peer[Symbol.dispose]()
  }
}

function receive(stream: number, group: string): Buffer {
  const request = rocketmq.ReceiveMessageRequest.create({
    group: { resourceNamespace: '', name: group },
    messageQueue: {
      topic: { resourceNamespace: '', name: TOPIC },
      id: -1,
      permission: rocketmq.Permission.READ_WRITE,
      acceptMessageTypes: [],
    },
    filterExpression: { type: rocketmq.FilterType.TAG, expression: '*' },
    batchSize: MESSAGES,
    invisibleDuration: { seconds: 30, nanos: 0 },
    longPollingTimeout: { seconds: 5, nanos: 0 },
  })
  const block = requestBlock(`${SERVICE}ReceiveMessage`, { 'x-mq-client-id': group, 'grpc-timeout': '30S' })
  const body = Buffer.from(rocketmq.ReceiveMessageRequest.encode(request).finish())
  return Buffer.concat([headers(stream, block), data(stream, grpcMessage(body), true)])
}

async function settingsUnread(address: string): Promise<string> {
  using peer = new RawPeer(address, false)
  const answers = new Http2Answers(peer)
  await peer.connected()
  const block = requestBlock(`${SERVICE}Telemetry`, { 'x-mq-client-id': 'hostile' })
  await peer.say(Buffer.concat([opening, headers(1, block)]))
  const value = rocketmq.Settings.create({
    clientType: rocketmq.ClientType.PRODUCER,
    pubSub: { $case: 'publishing', value: { topics: [] } },
  })
  const command = rocketmq.TelemetryCommand.create({ command: { $case: 'settings', value } })
  const body = grpcMessage(Buffer.from(rocketmq.TelemetryCommand.encode(command).finish()))
  const batch = Buffer.concat(Array.from({ length: 1_000 }, () => data(1, body)))
  const done = await peer.repeat(200, () => batch)
  await peer.say(Buffer.concat([windowUpdate(0, 2 ** 30), windowUpdate(1, 2 ** 30)]))
  peer.read()
  const end = Promise.race([answers.ends(1, ANSWERED_MS), peer.closed])
  if ((await end) === 'late') throw new Error(`the stream still stands after ${ANSWERED_MS} ms`)
  return `${done},000 taken, ${peer.isClosed ? 'connection' : 'stream'} closed`
}
