import { setTimeout as pause } from 'node:timers/promises'
import type { SeededRandom } from '@tandemmq/testkit'
import type { Cluster } from './cluster.ts'
import type { Machine } from './machine.ts'

/** What a misfortune is done to. */
export interface Stage {
  readonly cluster: Cluster
  readonly master: Machine
  /** One of the slaves. */
  readonly slave: Machine
  readonly metadata: Machine
  /** Lets it last for a drawn time, ms. */
  readonly hold: (minMs: number, maxMs: number) => Promise<void>
}

export interface Misfortune {
  readonly name: string
  /** Resolves when it has lasted long enough; then everything is mended. */
  strike(stage: Stage): Promise<void>
}

export function stageOf(cluster: Cluster, random: SeededRandom): Stage {
  const { master, metadata, slaves } = cluster
  const [slave] = random.shuffled(slaves)
  if (slave === undefined) throw new Error('there is no slave')
  const hold = async (minMs: number, maxMs: number): Promise<void> => {
    await pause(random.between(minMs, maxMs))
  }
  return { cluster, master, slave, metadata, hold }
}

/** Every kind once; a run goes through them in a drawn order, again and again. */
export const misfortunes: readonly Misfortune[] = [
  kind('SIGKILL of the master', async ({ master, hold }) => {
    await master.kill()
    await hold(200, 4_000)
  }),
  kind('SIGKILL of a slave', async ({ slave, hold }) => {
    await slave.kill()
    await hold(200, 4_000)
  }),
  kind('SIGKILL of all brokers', async ({ cluster, hold }) => {
    await Promise.all(cluster.brokers.map((broker) => broker.kill()))
    await hold(100, 1_000)
  }),
  kind('SIGKILL of metadata-rpc', async ({ metadata, hold }) => {
    await metadata.kill()
    await hold(200, 4_000)
  }),
  kind('SIGKILL of metadata-rpc, then of the master', async ({ metadata, master, hold }) => {
    await metadata.kill()
    await hold(0, 2_500)
    await master.kill()
    await hold(200, 1_500)
  }),
  kind('SIGKILL of the master, again while it recovers', async ({ master, hold }) => {
    await master.kill()
    await hold(50, 1_500)
    master.start()
    await hold(100, 1_500)
    await master.kill()
    await hold(50, 1_000)
  }),
  kind('SIGSTOP of the master', async ({ master, hold }) => {
    master.stop()
    await hold(1_000, 6_000)
  }),
  kind('SIGSTOP of a slave', async ({ slave, hold }) => {
    slave.stop()
    await hold(1_000, 6_000)
  }),
  kind('SIGSTOP of metadata-rpc', async ({ metadata, hold }) => {
    metadata.stop()
    await hold(1_000, 6_000)
  }),
  kind('SIGSTOP of the master, SIGKILL of metadata-rpc', async ({ master, metadata, hold }) => {
    master.stop()
    await hold(500, 3_000)
    await metadata.kill()
    await hold(500, 3_000)
  }),
  kind('SIGSTOP of a slave, power cut of the master', async ({ slave, master, hold }) => {
    slave.stop()
    await hold(200, 1_500)
    await master.cutPower()
    await hold(500, 2_000)
  }),
  kind('master | slave', async ({ cluster, master, slave, hold }) => {
    cluster.network.cutBetween(master.name, slave.name)
    await hold(500, 6_000)
  }),
  kind('master does not reach slave', async ({ cluster, master, slave, hold }) => {
    cluster.network.cut(master.name, slave.name)
    await hold(500, 6_000)
  }),
  kind('slave does not reach master', async ({ cluster, master, slave, hold }) => {
    cluster.network.cut(slave.name, master.name)
    await hold(500, 6_000)
  }),
  kind('master | metadata-rpc', async ({ cluster, master, metadata, hold }) => {
    cluster.network.cutBetween(master.name, metadata.name)
    await hold(1_000, 7_000)
  }),
  kind('slave | metadata-rpc', async ({ cluster, slave, metadata, hold }) => {
    cluster.network.cutBetween(slave.name, metadata.name)
    await hold(1_000, 7_000)
  }),
  kind('metadata-rpc does not reach master', async ({ cluster, master, metadata, hold }) => {
    cluster.network.cut(metadata.name, master.name)
    await hold(1_000, 7_000)
  }),
  kind('everybody | everybody', async ({ cluster, hold }) => {
    cutAll(cluster)
    await hold(1_000, 6_000)
  }),
  kind('master | slave, then SIGKILL of the master', async ({ cluster, master, slave, hold }) => {
    cluster.network.cutBetween(master.name, slave.name)
    await hold(300, 4_000)
    await master.kill()
    await hold(200, 2_500)
  }),
  kind('master | slave, then power cut of the master', async ({ cluster, master, slave, hold }) => {
    cluster.network.cutBetween(master.name, slave.name)
    await hold(300, 3_000)
    await master.cutPower()
    await hold(200, 2_500)
  }),
  kind(
    'master | metadata-rpc, then SIGKILL of a slave',
    async ({ cluster, master, slave, metadata, hold }) => {
      cluster.network.cutBetween(master.name, metadata.name)
      await hold(300, 4_000)
      await slave.kill()
      await hold(200, 2_500)
    },
  ),
  kind('power cut of the master', async ({ master, hold }) => {
    await master.cutPower()
    await hold(200, 4_000)
  }),
  kind('power cut of a slave', async ({ slave, hold }) => {
    await slave.cutPower()
    await hold(200, 4_000)
  }),
  kind('power cut of the master, again while it recovers', async ({ master, hold }) => {
    await master.cutPower()
    await hold(100, 1_500)
    master.start()
    await hold(300, 2_500)
    await master.cutPower()
    await hold(100, 1_000)
  }),
  // With ASYNC_FLUSH that is more than is promised to be survived.
  kind(
    'power cut of all (SYNC_FLUSH), or of a slave while all are cut off',
    async ({ cluster, slave, hold }) => {
      if (cluster.mode.flush === 'SYNC_FLUSH') {
        for (const broker of cluster.brokers) await broker.cutPower()
      } else {
        cutAll(cluster)
        await hold(200, 2_000)
        await slave.cutPower()
      }
      await hold(200, 2_000)
    },
  ),
]

function kind(name: string, strike: (stage: Stage) => Promise<void>): Misfortune {
  return { name, strike }
}

/** No service reaches another one; clients reach them. */
function cutAll({ network, machines }: Cluster): void {
  for (const [index, one] of machines.entries())
    for (const other of machines.slice(index + 1)) network.cutBetween(one.name, other.name)
}
