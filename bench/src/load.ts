import { Producer, SimpleConsumer } from 'rocketmq-client-nodejs'
import { quietClientLog } from '@tandemmq/interop'

/** Sends `count` messages of 1 KB, 64 in flight, and consumes them all. */
export async function sendAndReceive(endpoints: string, count: number): Promise<void> {
  const topic = 'BenchLoad'
  const connection = { endpoints, namespace: '', logger: quietClientLog }
  const producer = new Producer({ ...connection, topic })
  await producer.startup()
  const consumer = new SimpleConsumer({
    ...connection,
    consumerGroup: 'bench-load',
    subscriptions: new Map([[topic, '*']]),
    awaitDuration: 5_000,
  })
  await consumer.startup()
  const body = Buffer.alloc(1024, 'x')
  let left = count
  const sender = async (): Promise<void> => {
    while (left-- > 0) await producer.send({ topic, body })
  }
  const receiver = async (): Promise<void> => {
    for (let received = 0; received < count;) {
      const messages = await consumer.receive(32, 30_000)
      await Promise.all(messages.map((message) => consumer.ack(message)))
      received += messages.length
    }
  }
  await Promise.all([receiver(), ...Array.from({ length: 64 }, sender)])
  await Promise.all([producer.shutdown(), consumer.shutdown()])
}
