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
const LAG_ROUNDS = 5
const GOAL_PERCENT = 15

/** Sends by a client within the master's process: sync beside async, in turns, and how far the slave is behind. */
export async function atBroker(
  directory: string,
  bodyBytes: number,
): Promise<{
  readonly sync: ModeFigures
  readonly async: ModeFigures
  /** As {@link sync}, the stream in mutual TLS. */
  readonly syncInTls: ModeFigures
  readonly syncCostPercent: number
  readonly syncCostPercentRange: readonly [number, number]
  readonly syncCostPercentGoal: number
  readonly inTurns: Record<string, unknown>
  readonly oneInFlight: Record<string, number>
  readonly lag: Record<string, unknown>
}> {
  await using opened = new AsyncDisposableStack()
  const sync = await MeasuredPair.start(directory, 'sync', opened)
  const async = await MeasuredPair.start(directory, 'async', opened)
  const tls = await MeasuredPair.start(directory, 'sync', opened, await benchTlsFiles(join(directory, 'tls')))
  const order = { inFlight: IN_FLIGHT, bodyBytes }
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
  const [lag, echo] = [new LatencySamples(), new LatencySamples()]
  await inTurns(LAG_ROUNDS, 1, [
    async (counted) =>
      lag.add(counted, await sync.master.send({ count: LAG_MESSAGES, ...order, perSecond: half })),
    async (counted) => echo.add(counted, await echoFloor(LAG_MESSAGES, half)),
  ])
  const floorRate = quorum.rate.median
  return {
    sync: within.sync.figures,
    async: within.async.figures,
    syncInTls: within.tls.figures,
    ...syncCost(within.sync.rates, within.async.rates),
    syncCostPercentGoal: GOAL_PERCENT,
    inTurns: {
      sync: syncTurning,
      async: asyncTurning,
      ...syncCost(turning.sync.rates, turning.async.rates),
      syncCostPercentGoal: GOAL_PERCENT,
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
