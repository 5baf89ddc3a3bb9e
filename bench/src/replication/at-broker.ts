import { join } from 'node:path'
import { inTurns, rounded, Samples } from '../storage/measure.ts'
import { benchTlsFiles } from './bench-tls-files.ts'
import { echoFloor } from './floors.ts'
import { MeasuredPair, MeasuredSends, type ModeFigures } from './measured-pair.ts'
import { quorumFloor, type QuorumFloor } from './quorum-floor.ts'
import { cost, syncCost } from './sync-cost.ts'

const IN_FLIGHT = 64
const MESSAGES = 30_000
const ONE_MESSAGES = 2_000
const ROUNDS = 7
/** What runs once for each batch is compiled only after some thousands of them. */
const WARM_UPS = 3
const LAG_MESSAGES = 10_000
/** Each is a fifth of a second: whatever holds the machine up in one of them is most of its p99. */
const LAG_ROUNDS = 15
const GOAL_PERCENT = 15

/** What synchronous mode does beside asynchronous, and how much less that is. */
interface ModesCompared {
  readonly sync: ModeFigures
  readonly async: ModeFigures
  readonly syncCostPercent: number
  readonly syncCostPercentRange: readonly [number, number]
  readonly syncCostPercentGoal: number
}

/**
 * Sends by clients within the master's process: sync beside async, and how far the slave is behind. Who has its answer sends again in the next turn of the
 * loop, as what came out of a socket does.
 */
export async function atBroker(
  directory: string,
  bodyBytes: number,
): Promise<
  ModesCompared & {
    /** As {@link sync}, the stream in mutual TLS. */
    readonly syncInTls: ModeFigures
    readonly floorQuorumMessagesPerSecond: number
    readonly syncCostPercentWithFloorAlone: number
    /** Who has its answer sends again at once, before any socket is served: no client of a network can. */
    readonly inOneTurn: ModesCompared
    readonly oneInFlight: Record<string, number>
    readonly lag: Record<string, unknown>
  }
> {
  await using opened = new AsyncDisposableStack()
  const sync = await MeasuredPair.start(directory, 'sync', opened)
  const async = await MeasuredPair.start(directory, 'async', opened)
  const tls = await MeasuredPair.start(directory, 'sync', opened, await benchTlsFiles(join(directory, 'tls')))
  const order = { inFlight: IN_FLIGHT, bodyBytes, inTurns: true }
  const sends = { count: MESSAGES, ...order }
  const one = { ...order, count: ONE_MESSAGES, inFlight: 1 }
  const turning = {
    sync: new MeasuredSends(sync, sends),
    async: new MeasuredSends(async, sends),
    tls: new MeasuredSends(tls, sends),
  }
  const atOnce = { ...sends, inTurns: false }
  const within = { sync: new MeasuredSends(sync, atOnce), async: new MeasuredSends(async, atOnce) }
  const single = { sync: new MeasuredSends(sync, one), async: new MeasuredSends(async, one) }
  const files = { own: join(directory, 'own'), peer: join(directory, 'peer') }
  const [quorum, alone, unwritten] = [new QuorumSamples(), new QuorumSamples(), new QuorumSamples()]
  await inTurns(ROUNDS, WARM_UPS, [
    ...[turning, within, single]
      .flatMap((kind): MeasuredSends[] => Object.values(kind))
      .map(({ round }) => round),
    async (counted) => quorum.add(counted, await quorumFloor(MESSAGES, IN_FLIGHT, files)),
    async (counted) => alone.add(counted, await quorumFloor(ONE_MESSAGES, 1, files)),
    async (counted) => unwritten.add(counted, await quorumFloor(ONE_MESSAGES, 1, { ...files, peer: '' })),
  ])
  const compared = modesCompared(turning)
  const [syncSingle, asyncSingle] = [single.sync.figures, single.async.figures]
  const half = Math.round(compared.sync.messagesPerSecond / 2)
  const [lag, echo] = [new LatencySamples(), new LatencySamples()]
  await inTurns(LAG_ROUNDS, 1, [
    async (counted) =>
      lag.add(counted, await sync.master.send({ count: LAG_MESSAGES, ...order, perSecond: half })),
    async (counted) => echo.add(counted, await echoFloor(LAG_MESSAGES, half)),
  ])
  const floorRate = quorum.rate.median
  return {
    ...compared,
    syncInTls: turning.tls.figures,
    floorQuorumMessagesPerSecond: floorRate,
    // Each batch as in asynchronous mode, and then one of the floor's.
    syncCostPercentWithFloorAlone: cost(
      1 / (1 / compared.async.messagesPerSecond + 1 / floorRate),
      compared.async.messagesPerSecond,
    ),
    inOneTurn: modesCompared(within),
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
      p50Ms: lag.p50.median,
      p99Ms: lag.p99.median,
      p99MsRange: lag.p99.range,
      floorEchoP50Ms: echo.p50.median,
      floorEchoP99Ms: echo.p99.median,
      floorEchoP99MsRange: echo.p99.range,
      p99AboveEchoMsGoal: 3,
    },
  }
}

function modesCompared({
  sync,
  async,
}: {
  readonly sync: MeasuredSends
  readonly async: MeasuredSends
}): ModesCompared {
  return {
    sync: sync.figures,
    async: async.figures,
    ...syncCost(sync.rates, async.rates),
    syncCostPercentGoal: GOAL_PERCENT,
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

class LatencySamples {
  readonly p50 = new Samples()
  readonly p99 = new Samples()

  add(isCounted: boolean, { p50Ms, p99Ms }: { readonly p50Ms: number; readonly p99Ms: number }): void {
    if (!isCounted) return
    this.p50.add(p50Ms)
    this.p99.add(p99Ms)
  }
}
