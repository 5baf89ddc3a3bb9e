import type { Clients } from '@tandemmq/interop'
import type { Message, Served } from './system.ts'

/** An empty receive waits so long, ms: then there is nothing to be had. */
const NOTHING_AFTER_MS = 1_500
const BATCH = 16
const INVISIBLE_MS = 60_000

type Producer = Awaited<ReturnType<Clients['producer']>>
type Consumer = Awaited<ReturnType<Clients['simple']>>
type Received = Awaited<ReturnType<Consumer['receive']>>[number]

/** What the official client library makes of one address. */
export class OurClients implements Served {
  readonly #clients: Clients
  readonly #producers = new Map<string, Promise<Producer>>()
  #readers = 0

  constructor(clients: Clients) {
    this.#clients = clients
  }

  async send(topic: string, { body, properties = {} }: Message): Promise<void> {
    const producer = await this.#producer(topic)
    await producer.send({ topic, body: Buffer.from(body), properties: new Map(Object.entries(properties)) })
  }

  async read(topic: string): Promise<readonly Message[]> {
    this.#readers += 1
    const received = await this.#drain(`reader-${this.#readers}`, topic)
    return received.map(({ body, properties }) => ({
      body: body.toString(),
      properties: Object.fromEntries(properties),
    }))
  }

  async consume(group: string, topic: string, count: number): Promise<readonly string[]> {
    const consumer = await this.#clients.simple(group, topic, '*', NOTHING_AFTER_MS)
    const bodies: string[] = []
    while (bodies.length < count) {
      const received = await consumer.receive(Math.min(BATCH, count - bodies.length), INVISIBLE_MS)
      if (received.length === 0) break
      await Promise.all(received.map((message) => consumer.ack(message)))
      bodies.push(...received.map(({ body }) => body.toString()))
    }
    return bodies
  }

  async next(group: string, topic: string): Promise<readonly string[]> {
    return (await this.#drain(group, topic)).map(({ body }) => body.toString())
  }

  /** Everything that can be received, none of it acknowledged. */
  async #drain(group: string, topic: string): Promise<readonly Received[]> {
    const consumer = await this.#clients.simple(group, topic, '*', NOTHING_AFTER_MS)
    const all: Received[] = []
    for (;;) {
      const received = await consumer.receive(BATCH, INVISIBLE_MS)
      if (received.length === 0) return all
      all.push(...received)
    }
  }

  /** A start that failed is tried again by the next send. */
  #producer(topic: string): Promise<Producer> {
    const started = this.#producers.get(topic) ?? this.#clients.producer(topic)
    this.#producers.set(topic, started)
    started.catch(() => this.#producers.delete(topic))
    return started
  }
}
