import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '@tandemmq/interop'
import { MessagingCalls } from '../messaging-calls.ts'
import { RawClient } from '../raw-client.ts'
import type { TlsFiles } from '@tandemmq/platform-node'
import { inTurns, rounded, Samples } from '../storage/measure.ts'
import { benchTlsFiles } from './bench-tls-files.ts'
import { copyFloor, echoFloor } from './floors.ts'
import { Member } from './member.ts'

const BODY_BYTES = 1024
const IN_FLIGHT = 64
const MESSAGES = 15_000
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
    const { sync, async, syncInTls, lag } = await atBroker(directory)
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
      grpc: { ...grpc, syncCostPercentGoal: 10, apacheSaysSyncCostPercent: 10 },
      lag,
      catchUp,
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

interface ModeFigures {
  readonly messagesPerSecond: number
  readonly messagesPerSecondRange: readonly [number, number]
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicrosPerMessage: { readonly master: number; readonly slave: number }
}

/** A master and its slave, and what was measured of them. */
class Pair {
  readonly #master: Member
  readonly #slave: Member
  readonly #rate = new Samples()
  readonly #p50 = new Samples()
  readonly #p99 = new Samples()
  readonly #masterCpu = new Samples()
  readonly #slaveCpu = new Samples()

  private constructor(master: Member, slave: Member) {
    this.#master = master
    this.#slave = slave
  }

  static async start(
    directory: string,
    mode: 'sync' | 'async',
    opened: AsyncDisposableStack,
    tls?: TlsFiles,
  ): Promise<Pair> {
    const root = (name: string): string => join(directory, tls === undefined ? mode : `${mode}-tls`, name)
    const asked = { replication: mode, haPort: 0, ...(tls === undefined ? {} : { tls }) }
    const { member, haPort } = await Member.start({ ...asked, role: 'master', root: root('master') })
    const master = opened.use(member)
    const slave = await Member.start({ ...asked, role: 'slave', root: root('slave'), haPort })
    opened.use(slave.member)
    await master.untilInSync()
    return new Pair(master, slave.member)
  }

  async round(isCounted: boolean): Promise<void> {
    const before = [await this.#master.cpuUs(), await this.#slave.cpuUs()] as const
    const { seconds, p50Ms, p99Ms, end } = await this.#master.send({ count: MESSAGES, ...order })
    await this.#slave.reach(end)
    if (!isCounted) return
    this.#rate.add(MESSAGES / seconds)
    this.#p50.add(p50Ms)
    this.#p99.add(p99Ms)
    this.#masterCpu.add(((await this.#master.cpuUs()) - before[0]) / MESSAGES)
    this.#slaveCpu.add(((await this.#slave.cpuUs()) - before[1]) / MESSAGES)
  }

  /** From the append to the slave's report, by a master that waits for it. */
  paced(perSecond: number): Promise<{ readonly p50Ms: number; readonly p99Ms: number }> {
    return this.#master.send({ count: LAG_MESSAGES, ...order, perSecond })
  }

  get figures(): ModeFigures {
    return {
      messagesPerSecond: this.#rate.median,
      messagesPerSecondRange: this.#rate.range,
      p50Ms: this.#p50.median,
      p99Ms: this.#p99.median,
      cpuMicrosPerMessage: { master: this.#masterCpu.median, slave: this.#slaveCpu.median },
    }
  }
}

async function atBroker(directory: string): Promise<{
  readonly sync: ModeFigures
  readonly async: ModeFigures
  /** As {@link sync}, the stream in mutual TLS. */
  readonly syncInTls: ModeFigures
  readonly lag: Record<string, number>
}> {
  await using opened = new AsyncDisposableStack()
  const sync = await Pair.start(directory, 'sync', opened)
  const async = await Pair.start(directory, 'async', opened)
  const tls = await Pair.start(directory, 'sync', opened, await benchTlsFiles(join(directory, 'tls')))
  await inTurns(ROUNDS, WARM_UPS, [
    (counted) => sync.round(counted),
    (counted) => async.round(counted),
    (counted) => tls.round(counted),
  ])
  const half = Math.round(sync.figures.messagesPerSecond / 2)
  const lag = await sync.paced(half)
  const echo = await echoFloor(LAG_MESSAGES, half)
  return {
    sync: sync.figures,
    async: async.figures,
    syncInTls: tls.figures,
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
