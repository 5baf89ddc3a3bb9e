import { until } from '@tandemmq/interop'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ContainerCluster } from './container-cluster.ts'
import { faults } from './fault.ts'
import { keepLogsOnFailure } from './kept-logs.test-kit.ts'
import { LATE_MAX, Load, type LoadOptions } from './load.ts'
import type { Replication } from './service-plan.ts'

/** What the journal and the way to the slave may lack when a master is lost. */
const LAST_ACKS_MS = 200

/** Each service meets each fault under load, on one cluster that heals in between. */
export function describeFaults(replication: Replication): void {
  describe(`${replication} replication, under load`, () => {
    let cluster: ContainerCluster
    const begin = (topic: string, options?: LoadOptions): Promise<Load> =>
      Load.start(cluster, `${replication}-${topic}`.replaceAll(/\W+/g, '-'), options)
    /** Their consumers go on until the end: what was handed out to a connection that broke comes again only when its lease is over. */
    const unfinished: Load[] = []

    beforeAll(async () => {
      cluster = await ContainerCluster.start({ replication })
    })
    afterAll(async () => {
      await Promise.all(unfinished.map((load) => load[Symbol.asyncDispose]()))
      await cluster[Symbol.asyncDispose]()
    })
    beforeEach(async (context) => {
      keepLogsOnFailure(context, cluster)
      // After a test that failed in the middle.
      await Promise.all(unfinished.map((load) => load.stopSending()))
      await cluster.heal()
    })

    test.for(faults)('the master $name: consumers go on from the slave', async (fault) => {
      await using load = await begin(`master ${fault.name}`, { backlog: 400 })
      const { work } = load
      const struckAt = performance.now()
      await fault.strike(cluster.service('broker-master'))
      await cluster.servedBy('broker-a-1')
      await Promise.all([load.consumes(50), load.refuses(2)])
      for (const text of load.refusals)
        expect(text).toMatch(
          /NO_WRITABLE_BROKER: .* try again|NOT_WRITABLE: this master stops|FATE_UNKNOWN: |stored, but/,
        )

      await fault.cure(cluster.service('broker-master'))
      await cluster.servedBy('broker-a-0')
      await load.accepts(50)
      await load.stopSending()
      await load.complete()
      const impossible = work.repeats.filter(
        ({ ackedAt }) => ackedAt < struckAt - LAST_ACKS_MS || ackedAt > struckAt,
      )
      expect(impossible).toEqual([])
      await cluster.level()
    })

    test.for(faults)('the slave $name: nobody hears of an exception, nothing comes twice', async (fault) => {
      await using load = await begin(`slave ${fault.name}`)
      await fault.strike(cluster.service('broker-slave'))
      if (replication === 'async') await Promise.all([load.accepts(100), load.consumes(100)])
      else await load.refuses(3)
      await fault.cure(cluster.service('broker-slave'))
      await load.accepts(50)
      await load.stopSending()
      await load.complete()
      expect(load.work.repeats).toEqual([])
      const texts = new Set(load.refusals)
      if (replication === 'async') {
        expect(texts).toEqual(new Set())
        expect(load.late.length, String(load.late)).toBeLessThanOrEqual(LATE_MAX)
      }
      for (const text of texts) expect(text).toMatch(/IN_SYNC_REPLICAS_NOT_ENOUGH|stored, but/)
      await cluster.level()
    })

    test.for(faults)('metadata-rpc $name: the brokers go on, clients return', async (fault) => {
      const load = await begin(`metadata-rpc ${fault.name}`, { bearExceptions: true })
      unfinished.push(load)
      await fault.strike(cluster.service('metadata-rpc'))
      await load.refuses(2)
      await unregistered(cluster)
      await fault.cure(cluster.service('metadata-rpc'))
      await cluster.ready()
      await Promise.all([load.accepts(50), load.consumes(50)])
      await load.stopSending()
      await cluster.level()
    })

    test('all three are killed at once: started again, they go on', async () => {
      const load = await begin('all three are killed', { bearExceptions: true })
      unfinished.push(load)
      await Promise.all(cluster.services.map((service) => service.kill()))
      await Promise.all(cluster.services.map((service) => service.startAgain()))
      await cluster.ready()
      await Promise.all([load.accepts(50), load.consumes(50)])
      await load.stopSending()
      await cluster.level()
    })

    test('in the end all that was acknowledged has arrived, and the logs are the same bytes', async () => {
      await Promise.all(unfinished.map((load) => load.complete()))
      for (const { work } of unfinished) expect(work.ledger.totals()).toMatchObject({ lost: 0 })
      const [master, ...slaves] = await cluster.logChecksums()
      expect(master).toMatch(/^\d{6,} bytes /)
      expect(slaves).toEqual([master])
    })
  })
}

/** The master says that metadata-rpc does not hear it. */
async function unregistered(cluster: ContainerCluster): Promise<void> {
  await until('the master to miss metadata-rpc', async () => {
    const { status, body } = await cluster.service('broker-master').readiness()
    return status === 503 && body.includes('registered')
  })
}
