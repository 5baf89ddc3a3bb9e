import { createSecretKey } from 'node:crypto'
import { BrokerError, silentMeter, type Files, type LogOffset } from '@tandemmq/base'
import {
  MetadataStore,
  groupConfig,
  topicConfig,
  type GroupConfig,
  type LogKnowledge,
  type TopicType,
} from '@tandemmq/metadata'
import { MessageStore } from '@tandemmq/storage'
import {
  RecordingLogger,
  RecordingMeter,
  SeededRandom,
  SimulatedClock,
  SimulatedMachine,
  SimulatedNet,
} from '@tandemmq/testkit'
import type {
  CallContext,
  DeliveredMessage,
  OutgoingMessage,
  ReceiveAnswer,
  ReceiveRequest,
  SendReceipt,
  SendStatus,
} from './api.ts'
import type { LeaseWitnesses } from './lease-witnesses.ts'
import { Messaging } from './messaging.ts'
import type { ServingToken } from './serving.ts'

const ROOT = '/store'
const HOST = { ip: '127.0.0.1', port: 10911 }
const KEY = createSecretKey(Buffer.alloc(32, 7))

/** A visible end that follows the log, or stands still where a test says so. */
class TestVisible {
  at: LogOffset = 0
  isHeld = false
  readonly #listeners = new Set<(at: LogOffset) => void>()

  moveTo(at: LogOffset): void {
    if (at <= this.at) return
    this.at = at
    for (const listener of this.#listeners) listener(at)
  }

  onAdvance(listener: (at: LogOffset) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** Whoever has to know of an orderly delivery: nobody, or somebody who answers when the test says so (rule 5.8). */
class TestWitnesses implements LeaseWitnesses {
  arePresent = false
  /** Called for every question; by default it is never answered. */
  asked: (answer: (isKnown: boolean) => void) => void = () => {}
  questions = 0

  acknowledged(): Promise<boolean> {
    this.questions += 1
    return new Promise((resolve) => this.asked(resolve))
  }
}

class TestToken implements ServingToken {
  epoch = 1

  check({ servingEpoch: stamp }: { readonly servingEpoch?: number }): number {
    if (this.epoch > 0 && (stamp === undefined || stamp === this.epoch)) return this.epoch
    throw new BrokerError('NOT_SERVING', 'the token is elsewhere', { facts: { servingEpoch: this.epoch } })
  }
}

/** One broker's storage, metadata and messaging, real code on a simulated machine; the ports of the broker above are played by the test. */
export class Stand {
  readonly clock: SimulatedClock
  readonly machine: SimulatedMachine
  logger = new RecordingLogger()
  readonly meter = new RecordingMeter()
  visible = new TestVisible()
  readonly #token = new TestToken()
  readonly witnesses = new TestWitnesses()
  readonly #writing = { allowed: true }
  timersInMemory = 1000
  tailBytes = 16 << 20
  /** Stands between the store and its disk. */
  watched: (files: Files) => Files = (files) => files
  /** What sends wait for. */
  confirm: (end: LogOffset, deadline?: number) => Promise<SendStatus> = async () => 'OK'
  admit: () => void = () => {}
  #store: MessageStore | undefined
  #metadata: MetadataStore | undefined
  #messaging: Messaging | undefined
  readonly #follows: Stand | undefined
  #messages = 0
  #boots = 1

  /** @param follows the master of which this is a slave; they share the clock */
  constructor(seed = 1, follows?: Stand) {
    const random = new SeededRandom(seed)
    this.clock = follows?.clock ?? new SimulatedClock()
    this.#follows = follows
    const net = new SimulatedNet({ clock: this.clock, random: random.fork() })
    this.machine = new SimulatedMachine({ name: 'a', time: this.clock, net, random })
  }

  /** 0: the token is not held. */
  set servingEpoch(epoch: number) {
    this.#token.epoch = epoch
  }

  set writingAllowed(allowed: boolean) {
    this.#writing.allowed = allowed
  }

  static async open(seed?: number): Promise<Stand> {
    const stand = new Stand(seed)
    await stand.boot()
    return stand
  }

  get store(): MessageStore {
    return present(this.#store)
  }

  get metadata(): MetadataStore {
    return present(this.#metadata)
  }

  get messaging(): Messaging {
    return present(this.#messaging)
  }

  /** @param visibleUpTo what lies behind it is not to be seen; absent: all can be seen */
  async boot(visibleUpTo?: LogOffset): Promise<void> {
    const { files, clock, random } = this.machine.boot()
    this.logger = new RecordingLogger()
    this.visible = new TestVisible()
    const ports = { files: this.watched(files), clock, random, logger: this.logger, meter: silentMeter }
    const options = {
      root: ROOT,
      storeHost: HOST,
      bootId: `boot-${this.#boots}`,
      segmentBytes: 1 << 20,
      preZeroBytes: 0,
      tailBytes: this.tailBytes,
    }
    const store = await this.clock.outcome(MessageStore.open(options, ports))
    const log: LogKnowledge = {
      knowsStamp: ({ physicalOffset, logEpoch }) =>
        physicalOffset < store.end ? store.epochAt(physicalOffset) === logEpoch : 'later',
    }
    const metadata = await this.clock.outcome(MetadataStore.open({ root: ROOT }, { ...ports, log }))
    this.#store = store
    this.#metadata = metadata
    this.#messaging = this.#compose(clock)
    if (!this.#follows) {
      if (!store.lineage) await this.clock.outcome(store.createLineage())
      await this.clock.outcome(store.openEpoch())
    }
    this.visible.isHeld = visibleUpTo !== undefined
    this.visible.moveTo(visibleUpTo ?? store.end)
    store.written.onAdvance((at) => {
      if (!this.visible.isHeld) this.visible.moveTo(at)
    })
  }

  /** A slave of this stand: empty, not serving, not writing. */
  async slave(): Promise<Stand> {
    const slave = new Stand(2, this)
    slave.servingEpoch = 0
    slave.writingAllowed = false
    await slave.boot()
    return slave
  }

  /** Brings a slave's log up to its master's. */
  async replicate(): Promise<void> {
    const master = present(this.#follows)
    const { lineage } = master.store
    if (lineage) await this.clock.outcome(this.store.adoptLineage(lineage))
    while (this.store.end < master.store.end) {
      this.store.appendRaw(this.store.end, Buffer.from(master.store.read(this.store.end, 4096)))
    }
    await this.clock.outcome(this.store.dispatched.reached(this.store.end))
    this.metadata.logAdvanced()
  }

  /** Brings a slave's metadata up to its master's. */
  synchronize(): void {
    this.metadata.applyRemote(present(this.#follows).metadata.changesSince(this.metadata.followed))
  }

  kill(): void {
    this.machine.kill()
  }

  cutPower(): void {
    this.#boots += 1
    this.machine.cutPower()
  }

  topic(name: string, fields: { queues?: number; perm?: number; type?: TopicType } = {}): void {
    const { queues = 4, perm = 6, type = 'MIXED' } = fields
    const topic = topicConfig({ name, readQueues: queues, writeQueues: queues, perm, type })
    this.metadata.commit({ kind: 'topic-put', topic })
  }

  group(name: string, fields: Partial<GroupConfig> = {}): void {
    this.metadata.commit({ kind: 'group-put', group: groupConfig({ ...fields, name }) })
  }

  context(fields: Partial<CallContext> = {}): CallContext {
    return {
      clientId: 'client-1',
      peer: { ip: '10.0.0.9', port: 4711 },
      language: 'JAVASCRIPT',
      clientVersion: '1.0.8',
      signal: new AbortController().signal,
      ...fields,
    }
  }

  message(fields: Partial<OutgoingMessage> = {}): OutgoingMessage {
    this.#messages += 1
    return {
      topic: 'orders',
      messageId: `01AB${this.#messages}`,
      type: 'NORMAL',
      body: Buffer.from(`body ${this.#messages}`),
      keys: [],
      userProperties: new Map(),
      bornTimestamp: this.clock.now(),
      bornHost: { ip: '10.0.0.1', port: 0 },
      compressed: false,
      ...fields,
    }
  }

  async send(fields: Partial<OutgoingMessage> = {}): Promise<SendReceipt> {
    return this.clock.outcome(this.messaging.send(this.message(fields), this.context()))
  }

  /** Sends bodies in order, into one queue if the topic has one. */
  async sendAll(...texts: readonly string[]): Promise<void> {
    for (const body of texts) await this.send({ body: Buffer.from(body) })
  }

  request(fields: Partial<ReceiveRequest> = {}): ReceiveRequest {
    return {
      group: 'billing',
      topic: 'orders',
      filter: { kind: 'all' },
      batchSize: 32,
      invisibleMs: 10_000,
      autoRenew: false,
      pollMs: 0,
      ...fields,
    }
  }

  /** A receive under way. */
  poll(fields: Partial<ReceiveRequest> = {}, context: Partial<CallContext> = {}): Promise<ReceiveAnswer> {
    return this.messaging.receive(this.request({ pollMs: 20_000, ...fields }), this.context(context))
  }

  async receive(
    fields: Partial<ReceiveRequest> = {},
    context: Partial<CallContext> = {},
  ): Promise<readonly DeliveredMessage[]> {
    await this.clock.settle()
    const answer = this.messaging.receive(this.request(fields), this.context(context))
    return (await this.clock.outcome(answer)).messages
  }

  async ack(message: DeliveredMessage, context: Partial<CallContext> = {}, group = 'billing') {
    const entry = { receiptHandle: message.receiptHandle, messageId: 'x' }
    const statuses = await this.messaging.ack(group, message.topic, [entry], this.context(context))
    return statuses[0]
  }

  async nack(
    message: DeliveredMessage,
    invisibleMs: number,
    context: Partial<CallContext> = {},
  ): Promise<string> {
    return this.messaging.changeInvisible(message.receiptHandle, invisibleMs, this.context(context))
  }

  #compose(clock: SimulatedClock | ReturnType<SimulatedMachine['boot']>['clock']): Messaging {
    const { metadata, store } = this
    return new Messaging(
      { cluster: 'c', set: 'broker-a', handleKey: KEY, timersInMemory: this.timersInMemory },
      {
        log: store,
        book: metadata,
        catalog: {
          topic: (name) => metadata.topics.get(name),
          group: (name) => metadata.groups.get(name),
          createTopic: () => undefined,
          createGroup: (name) => (name.startsWith('auto') ? groupConfig({ name }) : undefined),
          deadLetterTopic: (group) => topicConfig({ name: `%DLQ%${group}`, readQueues: 1, writeQueues: 1 }),
        },
        durability: {
          admit: () => this.admit(),
          confirmed: (end, deadline) => this.confirm(end, deadline),
        },
        visible: this.visible,
        serving: this.#token,
        witnesses: this.witnesses,
        writing: this.#writing,
        clock,
        logger: this.logger,
        meter: this.meter,
      },
    )
  }
}

export function bodies(messages: readonly DeliveredMessage[]): string[] {
  return messages.map((message) => message.record.body.toString())
}

/** The code of what a promise rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (cause) {
    if (cause instanceof BrokerError) return cause.code
    throw cause
  }
  return 'none'
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the stand is not booted')
  return value
}
