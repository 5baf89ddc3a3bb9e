import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '@tandemmq/interop'
import { MessagingCalls } from '../messaging-calls.ts'
import { RawClient } from '../raw-client.ts'
import { inTurns, rounded, Samples } from '../storage/measure.ts'
import { benchTlsFiles } from './bench-tls-files.ts'
import { copyFloor, echoFloor } from './floors.ts'
import { MeasuredPair, MeasuredSends, type ModeFigures } from './measured-pair.ts'
import { Member } from './member.ts'
import { quorumFloor, type QuorumFloor } from './quorum-floor.ts'

const BODY_BYTES = 1024
const IN_FLIGHT = 64
const MESSAGES = 15_000
const ONE_MESSAGES = 2_000
const ROUNDS = 5
const WARM_UPS = 2
const LAG_MESSAGES = 10_000
const CATCH_UP_MESSAGES = 200_000
const GRPC_MESSAGES = 8_000

const order = { inFlight: IN_FLIGHT, bodyBytes: BODY_BYTES }

/** What replication costs: sync beside async, at the broker and through gRPC; how far a slave is behind; how fast an empty one catches up. */
export async function replication(): Promise<Record<string, unknown>> {
  const directory = await mkdtemp(join(tmpdir(), 'tandemmq-bench-'))
  try {
    const { sync, async, syncInTls, inTurns: turning, oneInFlight, lag } = await atBroker(directory)
    const catchUp = await catchingUp(directory)
    const grpc = await throughGrpc()
    return {
      bodyBytes: BODY_BYTES,
      inFlight: IN_FLIGHT,
      sync,
      async,
      syncInTls,
      syncCostPercent: cost(sync.messagesPerSecond, async.messagesPerSecond),
      syncCostPercentGoal: 15,
      inTurns: turning,
      oneInFlight,
      grpc: { ...grpc, syncCostPercentGoal: 10, apacheSaysSyncCostPercent: 10 },
      lag,
      catchUp,
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function atBroker(directory: string): Promise<{
  readonly sync: ModeFigures
  readonly async: ModeFigures
  /** As {@link sync}, the stream in mutual TLS. */
  readonly syncInTls: ModeFigures
  readonly inTurns: Record<string, unknown>
  readonly oneInFlight: Record<string, number>
  readonly lag: Record<string, number>
}> {
  await using opened = new AsyncDisposableStack()
  const sync = await MeasuredPair.start(directory, 'sync', opened)
  const async = await MeasuredPair.start(directory, 'async', opened)
  const tls = await MeasuredPair.start(directory, 'sync', opened, await benchTlsFiles(join(directory, 'tls')))
  const sends = { count: MESSAGES, ...order }
  const turns = { ...sends, inTurns: true }
  const one = { ...turns, count: ONE_MESSAGES, inFlight: 1 }
  const within = {
    sync: new MeasuredSends(sync, sends),
    async: new MeasuredSends(async, sends),
    tls: new MeasuredSends(tls, sends),
  }
  const turning = { sync: new MeasuredSends(sync, turns), async: new MeasuredSends(async, turns) }
  const single = { sync: new MeasuredSends(sync, one), async: new MeasuredSends(async, one) }
  const files = { own: join(directory, 'own'), peer: join(directory, 'peer') }
  const [quorum, alone, unwritten] = [new QuorumSamples(), new QuorumSamples(), new QuorumSamples()]
  await inTurns(ROUNDS, WARM_UPS, [
    ...[within, turning, single]
      .flatMap((kind): MeasuredSends[] => Object.values(kind))
      .map(({ round }) => round),
    async (counted) => quorum.add(counted, await quorumFloor(MESSAGES, IN_FLIGHT, files)),
    async (counted) => alone.add(counted, await quorumFloor(ONE_MESSAGES, 1, files)),
    async (counted) => unwritten.add(counted, await quorumFloor(ONE_MESSAGES, 1, { ...files, peer: '' })),
  ])
  const [syncTurning, asyncTurning] = [turning.sync.figures, turning.async.figures]
  const [syncSingle, asyncSingle] = [single.sync.figures, single.async.figures]
  const half = Math.round(within.sync.figures.messagesPerSecond / 2)
  const lag = await sync.master.send({ count: LAG_MESSAGES, ...order, perSecond: half })
  const echo = await echoFloor(LAG_MESSAGES, half)
  const floorRate = quorum.rate.median
  return {
    sync: within.sync.figures,
    async: within.async.figures,
    syncInTls: within.tls.figures,
    inTurns: {
      sync: syncTurning,
      async: asyncTurning,
      syncCostPercent: cost(syncTurning.messagesPerSecond, asyncTurning.messagesPerSecond),
      floorQuorumMessagesPerSecond: floorRate,
      // Each batch as in asynchronous mode, and then one of the floor's.
      syncCostPercentWithFloorAlone: cost(
        1 / (1 / asyncTurning.messagesPerSecond + 1 / floorRate),
        asyncTurning.messagesPerSecond,
      ),
    },
    oneInFlight: {
      syncP50Ms: rounded(syncSingle.p50Ms),
      asyncP50Ms: rounded(asyncSingle.p50Ms),
      addedMs: rounded(syncSingle.p50Ms - asyncSingle.p50Ms),
      floorRoundTripMs: unwritten.p50.median,
      floorRoundTripAndWriteMs: alone.p50.median,
      // Two round trips and a write.
      addedMsGoal: rounded(unwritten.p50.median + alone.p50.median),
    },
    lag: {
      messagesPerSecond: half,
      p50Ms: rounded(lag.p50Ms),
      p99Ms: rounded(lag.p99Ms),
      floorEchoP50Ms: rounded(echo.p50Ms),
      floorEchoP99Ms: rounded(echo.p99Ms),
      p99AboveEchoMsGoal: 3,
    },
  }
}

class QuorumSamples {
  readonly rate = new Samples()
  readonly p50 = new Samples()

  add(isCounted: boolean, { messagesPerSecond, p50Ms }: QuorumFloor): void {
    if (!isCounted) return
    this.rate.add(messagesPerSecond)
    this.p50.add(p50Ms)
  }
}

/** An empty slave of a master that has a long log: until it holds all of it, and until consumers could find all of it. */
async function catchingUp(directory: string): Promise<Record<string, number>> {
  const root = (name: string): string => join(directory, 'catch-up', name)
  const asked = { replication: 'async', haPort: 0 } as const
  await using opened = new AsyncDisposableStack()
  const { member: master, haPort } = await Member.start({ ...asked, role: 'master', root: root('master') })
  opened.use(master)
  const { end } = await master.send({ count: CATCH_UP_MESSAGES, ...order })
  await master.reach(end)
  const [written, searchable, floor] = [new Samples(), new Samples(), new Samples()]
  const mebibytes = end / 1024 ** 2
  let attempt = 0
  await inTurns(3, 1, [
    async (isCounted) => {
      attempt += 1
      const name = root(`slave-${attempt}`)
      const slave = await Member.start({ ...asked, role: 'slave', root: name, haPort })
      const { writtenMs, dispatchedMs } = await slave.member.reach(end)
      await slave.member[Symbol.asyncDispose]()
      await rm(name, { recursive: true, force: true })
      if (!isCounted) return
      written.add((mebibytes * 1_000) / writtenMs)
      searchable.add((mebibytes * 1_000) / dispatchedMs)
    },
    async (isCounted) => {
      const rate = await copyFloor(join(root('master'), 'commitlog'), end, join(directory, 'copy'))
      if (isCounted) floor.add(rate)
    },
  ])
  return {
    mebibytes: rounded(mebibytes),
    mebibytesPerSecond: written.median,
    searchableMebibytesPerSecond: searchable.median,
    floorMebibytesPerSecond: floor.median,
    percentOfFloor: rounded((100 * written.median) / floor.median),
    percentOfFloorGoal: 60,
    searchablePercentOfFloor: rounded((100 * searchable.median) / floor.median),
    searchablePercentOfFloorGoal: 30,
  }
}

async function throughGrpc(): Promise<Record<string, number>> {
  await using opened = new AsyncDisposableStack()
  const [sync, async] = [new Samples(), new Samples()]
  const contestant = async (mode: string, rate: Samples): Promise<(isCounted: boolean) => Promise<void>> => {
    const cluster = opened.use(await LocalCluster.start(['--replication', mode]))
    const client = opened.adopt(await RawClient.connect(cluster.ready.grpc, 'bench'), (it) => it.close())
    const calls = new MessagingCalls(client, 'BenchReplication', BODY_BYTES)
    await calls.begin()
    return async (isCounted) => {
      const began = performance.now()
      let left = GRPC_MESSAGES
      const sender = async (): Promise<void> => {
        while (left-- > 0) await calls.send()
      }
      await Promise.all(Array.from({ length: IN_FLIGHT }, sender))
      if (isCounted) rate.add((GRPC_MESSAGES * 1_000) / (performance.now() - began))
    }
  }
  await inTurns(3, 1, [await contestant('sync', sync), await contestant('async', async)])
  return {
    syncMessagesPerSecond: sync.median,
    asyncMessagesPerSecond: async.median,
    syncCostPercent: cost(sync.median, async.median),
  }
}

function cost(sync: number, async: number): number {
  return rounded(100 * (1 - sync / async))
}
