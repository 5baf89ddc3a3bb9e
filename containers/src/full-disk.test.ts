import { until } from '@tandemmq/interop'
import { expect, test } from 'vitest'
import { ContainerCluster } from './container-cluster.ts'
import { keepLogsOnFailure } from './kept-logs.test-kit.ts'
import { Load } from './load.ts'
import type { ServiceContainer } from './service-container.ts'

const MIB = 1024 * 1024
const DISK_BYTES = 48 * MIB
/** What the messages of this test may fill: a second of them. */
const ROOM_BYTES = 8 * MIB

test.for([
  {
    full: 'broker-master',
    refusals: /DISK_FULL: the disk has no room for messages/,
    check: 'writable',
  },
  {
    full: 'broker-slave',
    refusals: /stored, but not on enough replicas in time|IN_SYNC_REPLICAS_NOT_ENOUGH: nothing was stored/,
    check: 'in_sync',
  },
] as const)(
  'the disk of the $full gets full: sends are refused, consumers go on; space returns, and all goes on by itself',
  async ({ full, refusals, check }, context) => {
    const smallDisks = { [full]: DISK_BYTES }
    await using cluster = await ContainerCluster.start({ replication: 'sync', smallDisks })
    keepLogsOnFailure(context, cluster)
    await using load = await Load.start(cluster, 'Room', { bodyBytes: 16_000 })
    const service = cluster.service(full)
    load.stopConsuming()
    await fillDisk(service)
    await load.refuses(5)
    for (const text of load.refusals) expect(text).toMatch(refusals)
    await until('the service to say so', async () => {
      const { status, body } = await service.readiness()
      return status === 503 && body.includes(`"${check}"`) && body.includes('the disk has no room')
    })

    load.consumeAgain()
    await load.consumes(100)
    await load.complete()

    await service.evaluate(`require('fs').rmSync('/var/lib/tandemmq/filler')`)
    await load.accepts(50)
    await cluster.ready()
    await load.stopSending()
    await load.complete()
    expect(load.work.repeats).toEqual([])
    const [master, slave] = await cluster.logChecksums()
    expect(slave).toBe(master)
  },
)

/** A file of somebody else takes the disk but for {@link ROOM_BYTES}. */
async function fillDisk(service: ServiceContainer): Promise<void> {
  await service.evaluate(
    `
      const fs = require('fs'), chunk = Buffer.alloc(64 * 1024)
      const { bsize, bfree } = fs.statfsSync('/var/lib/tandemmq')
      const filler = fs.openSync('/var/lib/tandemmq/filler', 'w')
      for (let left = bsize * bfree - Number(process.argv[1]); left > 0; left -= chunk.length) fs.writeSync(filler, chunk)
    `,
    String(ROOM_BYTES),
  )
}
