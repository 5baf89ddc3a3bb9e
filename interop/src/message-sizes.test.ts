import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Clients } from './clients.ts'
import { tandemmq } from './cli.ts'
import { LocalCluster } from './local-cluster.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** The official client takes no answer above 4 MiB, in which a body of that size does not fit. */
const RECEIVABLE = 4 * MIB - 4 * KIB
/** Large ones one after the other too. */
const SIZES = [1, 10, KIB, 160 * KIB, 160 * KIB, MIB, RECEIVABLE, RECEIVABLE, RECEIVABLE, 1, 160 * KIB]

test('from one byte to 4 MiB: acknowledged in synchronous mode, received as they were, the same on both disks, and sound to the store tools', async () => {
  await using cluster = await LocalCluster.start()
  await using clients = new Clients(cluster)
  const producer = await clients.producer(['Sizes', 'Largest'])
  const sent: string[] = []
  for (const [index, size] of SIZES.entries()) {
    const body = Buffer.alloc(size, index + 1)
    await producer.send({ topic: 'Sizes', body })
    sent.push(digest(body))
  }
  for (const topic of ['Largest', 'Largest']) {
    await producer.send({ topic, body: Buffer.alloc(4 * MIB, 3) })
  }
  const consumer = await clients.simple('sizes', 'Sizes', '*', 500)
  const received: string[] = []
  while (received.length < sent.length) {
    for (const message of await consumer.receive(16, 60_000)) {
      received.push(digest(message.body))
      await consumer.ack(message)
    }
  }
  expect(received.toSorted()).toEqual(sent.toSorted())

  const compared = await tandemmq('replication', 'verify', '--data', cluster.data)
  expect(compared).toMatchObject({ code: 0, stderr: '' })
  expect(compared.stdout).toMatch(
    /^broker-a: broker-a-1 holds the same bytes as its master from 0 to \d{8,}$/m,
  )
  for (const service of ['broker-master', 'broker-slave']) {
    const { code, stdout } = await tandemmq('store', 'verify', `${cluster.data}/${service}`)
    expect([code, stdout]).toEqual([0, expect.stringContaining('nothing wrong')])
  }
})

function digest(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}
