import { join } from 'node:path'
import { Wait } from 'testcontainers'
import { imageOf } from './images.ts'
import { WiredContainer } from './wired-container.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')

/** Sends ten messages and receives them, with the client as this repository has installed it. */
const SCRIPT = `
  const { Producer, SimpleConsumer } = require('/repository/containers/node_modules/rocketmq-client-nodejs')
  const logger = { info() {}, warn() {}, error() {}, debug() {} }
  const connection = { endpoints: process.argv[1], namespace: '', logger }
  ;(async () => {
    const producer = new Producer({ ...connection, topics: ['Inside'] })
    await producer.startup()
    for (let n = 0; n < 10; n += 1) await producer.send({ topic: 'Inside', body: Buffer.from(String(n)) })
    const subscriptions = new Map([['Inside', '*']])
    const consumer = new SimpleConsumer({ ...connection, consumerGroup: 'inside', subscriptions, awaitDuration: 5000 })
    await consumer.startup()
    const seen = new Set()
    while (seen.size < 10) {
      for (const message of await consumer.receive(16, 15000)) {
        seen.add(message.body.toString())
        await consumer.ack(message)
      }
    }
    console.log('all ten came')
  })()
`

/** A client in a container on `network`: resolves when it has sent and received. */
export async function clientInside(network: string, endpoints: string): Promise<void> {
  const container = new WiredContainer(imageOf('metadata-rpc'), network, 'client')
    .withBindMounts([{ source: REPOSITORY, target: '/repository', mode: 'ro' }])
    .withEntrypoint(['node', '-e', SCRIPT, endpoints])
    .withWaitStrategy(Wait.forLogMessage('all ten came'))
  await (await container.start()).stop()
}
