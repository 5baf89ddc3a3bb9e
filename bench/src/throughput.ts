import { LocalCluster } from '@tandemmq/interop'
import { MessagingCalls, RECEIVE_BATCH } from './messaging-calls.ts'
import { cpuSeconds, residentMb } from './process-usage.ts'
import { RawClient } from './raw-client.ts'

const BODY_BYTES = 1024
const WARM_UP_MESSAGES = 10_000
const MESSAGES = 20_000
const RECEIVERS = 4

/** What one kind of work cost, per message; `inAll` is the servers together, without the generator of the load. */
interface Cost {
  readonly messagesPerSecond: number
  readonly cpuMicrosPerMessage: Readonly<Record<string, number>>
}

/** What Apache RocketMQ 5.5.0 (broker, slave and proxy) took for the same work on a machine of this size. */
const apache = {
  send64: { messagesPerSecond: [2_700, 8_200], cpuMicrosPerMessage: [400, 680] },
  send512: { cpuMicrosPerMessage: [200, 210] },
  receiveAndAck: { messagesPerSecond: [5_100, 7_600], cpuMicrosPerMessage: [250, 370] },
}

/**
 * Processor time per message of 1 KB in each process: sends with 64 and 512 in flight, then receives of 32 with one acknowledgement each.
 * Through the gateway, as clients do. First unmeasured messages, until the code is warm.
 */
export async function throughput(): Promise<Record<string, unknown>> {
  return {
    bodyBytes: BODY_BYTES,
    messages: MESSAGES,
    sync: await inMode('sync'),
    async: await inMode('async'),
    apache,
  }
}

async function inMode(replication: string): Promise<Record<string, unknown>> {
  await using cluster = await LocalCluster.start(['--replication', replication])
  const client = await RawClient.connect(cluster.ready.grpc, 'bench')
  const calls = new MessagingCalls(client, 'BenchThroughput', BODY_BYTES)
  await calls.begin()
  await send(calls, WARM_UP_MESSAGES, 64)
  await receive(calls, WARM_UP_MESSAGES)
  const send64 = await measured(cluster, MESSAGES, () => send(calls, MESSAGES, 64))
  const send512 = await measured(cluster, MESSAGES, () => send(calls, MESSAGES, 512))
  const receiveAndAck = await measured(cluster, 2 * MESSAGES, () => receive(calls, 2 * MESSAGES))
  const residentMbAfter = Object.fromEntries(
    Object.entries(cluster.ready.services).map(([name, { pid }]) => [name, residentMb(pid)]),
  )
  await client.close()
  return { send64, send512, receiveAndAck, residentMbAfter }
}

async function send(calls: MessagingCalls, count: number, inFlight: number): Promise<void> {
  let left = count
  const sender = async (): Promise<void> => {
    while (left-- > 0) await calls.send()
  }
  await Promise.all(Array.from({ length: inFlight }, sender))
}

async function receive(calls: MessagingCalls, count: number): Promise<void> {
  // Claimed before they are received: nobody is left waiting for messages that another has got.
  let unclaimed = count
  const receiver = async (): Promise<void> => {
    while (unclaimed > 0) {
      unclaimed -= RECEIVE_BATCH
      const received = await calls.receiveAndAck()
      unclaimed += RECEIVE_BATCH - received
    }
  }
  await Promise.all(Array.from({ length: RECEIVERS }, receiver))
}

async function measured(cluster: LocalCluster, messages: number, work: () => Promise<void>): Promise<Cost> {
  const pids = Object.entries(cluster.ready.services).map(([name, { pid }]) => [name, pid] as const)
  const before = pids.map(([, pid]) => cpuSeconds(pid))
  const ownBefore = process.cpuUsage()
  const began = performance.now()
  await work()
  const seconds = (performance.now() - began) / 1_000
  const own = process.cpuUsage(ownBefore)
  const perMessage = (cpuSecondsUsed: number): number => Math.round((cpuSecondsUsed * 1e6) / messages)
  const used = pids.map(([name, pid], index) => [name, cpuSeconds(pid) - (before[index] ?? 0)] as const)
  return {
    messagesPerSecond: Math.round(messages / seconds),
    cpuMicrosPerMessage: {
      ...Object.fromEntries(used.map(([name, cpu]) => [name, perMessage(cpu)])),
      inAll: perMessage(used.reduce((sum, [, cpu]) => sum + cpu, 0)),
      generator: perMessage((own.user + own.system) / 1e6),
    },
  }
}
