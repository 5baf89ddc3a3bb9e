import { LocalCluster } from '@tandemmq/interop'
import { MessagingCalls } from '../messaging-calls.ts'
import { cpuSeconds } from '../process-usage.ts'
import { RawClient } from '../raw-client.ts'
import { inTurns, rounded, Samples } from '../storage/measure.ts'
import { syncCost } from './sync-cost.ts'

const IN_FLIGHT = 64
const MESSAGES = 8_000
const ROUNDS = 5
const WARM_UPS = 2

/** Sends through the gateway, as clients see them: sync beside async, two clusters in turns. */
export async function throughGrpc(bodyBytes: number): Promise<Record<string, unknown>> {
  await using opened = new AsyncDisposableStack()
  const sync = await ClusterSends.start('sync', bodyBytes, opened)
  const async = await ClusterSends.start('async', bodyBytes, opened)
  await inTurns(ROUNDS, WARM_UPS, [sync.round, async.round])
  const [syncCpu, asyncCpu] = [sync.cpuMicrosPerMessage, async.cpuMicrosPerMessage]
  return {
    sync: sync.figures,
    async: async.figures,
    ...syncCost(sync.rates, async.rates),
    syncCostPercentGoal: 10,
    apacheSaysSyncCostPercent: 10,
    // What a machine whose processors are all busy can not do less than lose.
    syncCpuCostPercent: rounded(100 * (1 - (asyncCpu['all'] ?? 0) / (syncCpu['all'] ?? 0))),
  }
}

/** A cluster, a client of it in this process, and what came out of the rounds that count. */
class ClusterSends {
  readonly #cluster: LocalCluster
  readonly #calls: MessagingCalls
  readonly #rate = new Samples()
  /** Of all rounds together, µs. */
  readonly #cpu = new Map<string, number>()
  #messages = 0

  private constructor(cluster: LocalCluster, calls: MessagingCalls) {
    this.#cluster = cluster
    this.#calls = calls
  }

  static async start(
    mode: 'sync' | 'async',
    bodyBytes: number,
    opened: AsyncDisposableStack,
  ): Promise<ClusterSends> {
    const cluster = opened.use(await LocalCluster.start(['--replication', mode]))
    const client = opened.adopt(await RawClient.connect(cluster.ready.grpc, 'bench'), (it) => it.close())
    const calls = new MessagingCalls(client, 'BenchReplication', bodyBytes)
    await calls.begin()
    return new ClusterSends(cluster, calls)
  }

  readonly round = async (isCounted: boolean): Promise<void> => {
    const before = this.#cpuMicros()
    const began = performance.now()
    let left = MESSAGES
    const sender = async (): Promise<void> => {
      while (left-- > 0) await this.#calls.send()
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, sender))
    const seconds = (performance.now() - began) / 1_000
    if (!isCounted) return
    this.#rate.add(MESSAGES / seconds)
    this.#messages += MESSAGES
    for (const [name, micros] of this.#cpuMicros()) {
      this.#cpu.set(name, (this.#cpu.get(name) ?? 0) + micros - (before.get(name) ?? 0))
    }
  }

  get rates(): readonly number[] {
    return this.#rate.values
  }

  /** By process, with the generator of the load, and of all together. */
  get cpuMicrosPerMessage(): Readonly<Record<string, number>> {
    const each = [...this.#cpu].map(([name, micros]) => [name, rounded(micros / this.#messages)] as const)
    return { ...Object.fromEntries(each), all: rounded(each.reduce((sum, [, micros]) => sum + micros, 0)) }
  }

  get figures(): Record<string, unknown> {
    return {
      messagesPerSecond: this.#rate.median,
      messagesPerSecondRange: this.#rate.range,
      cpuMicrosPerMessage: this.cpuMicrosPerMessage,
    }
  }

  #cpuMicros(): Map<string, number> {
    const services = Object.entries(this.#cluster.ready.services)
    const { user, system } = process.cpuUsage()
    return new Map([
      ...services.map(([name, { pid }]) => [name, cpuSeconds(pid) * 1e6] as const),
      ['generator', user + system] as const,
    ])
  }
}
