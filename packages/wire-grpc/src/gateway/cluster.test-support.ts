import { BrokerError, silentLogger, silentMeter } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import type { ServingView, SetServing } from '@tandemmq/registry'
import { rocketmq } from '@tandemmq/rpc'
import { SimulatedClock } from '@tandemmq/testkit'
import { BrokerCalls } from '../client-api/broker-calls.ts'
import { statusOf } from '../client-api/error-status.ts'
import { failureAnswer } from '../client-api/failure-answer.ts'
import type { RouteCatalog } from '../edge/route-catalog.ts'
import { MemoryMessaging } from '../memory-messaging.test-support.ts'
import type { BrokerChannel, BrokerChannels } from './broker-channel.ts'
import { Gateway } from './gateway.ts'

/** Milliseconds that a call takes each way. */
const WIRE_MS = 1

/** A broker behind a channel that can be lost, or fall silent. */
export class FakeBroker implements BrokerChannel {
  readonly api: MemoryMessaging
  readonly calls: BrokerCalls
  readonly methods: string[] = []
  isOpen = true
  /** Takes calls and never answers, as a stopped process does. */
  isSilent = false
  /** Loses calls: before they leave, or after. */
  loses: 'before leaving' | 'after leaving' | undefined
  /** Called in the turn in which an answer has arrived. */
  answered: (() => void) | undefined
  readonly #clock: SimulatedClock
  readonly #underWay = new Set<(error: BrokerError) => void>()

  constructor(clock: SimulatedClock, set: string, topics: readonly string[]) {
    this.#clock = clock
    this.api = new MemoryMessaging({ clock, set, topics })
    this.calls = new BrokerCalls({ api: this.api, clock })
  }

  /** The connection breaks: what has left is lost. */
  lose(): void {
    this.isOpen = false
    for (const fail of this.#underWay) fail(new BrokerError('FATE_UNKNOWN', 'the connection broke'))
  }

  async call(
    method: string,
    request: Uint8Array,
    context: CallContext,
    reply: (message: Uint8Array) => void,
  ): Promise<void> {
    if (!this.isOpen || this.loses === 'before leaving')
      throw new BrokerError('UNAVAILABLE', 'nothing has left')
    this.methods.push(method)
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        this.#underWay.delete(fail)
        reject(error)
      }
      this.#underWay.add(fail)
      context.signal.addEventListener('abort', () => fail(context.signal.reason), { once: true })
      const answer = async (): Promise<void> => {
        const replies: Uint8Array[] = []
        try {
          await this.calls.call(method, request, context, (message) => replies.push(message))
        } catch (thrown) {
          return fail(thrown)
        }
        if (this.loses === 'after leaving')
          return fail(new BrokerError('FATE_UNKNOWN', 'the connection broke'))
        this.#clock.after(WIRE_MS, () => {
          if (!this.#underWay.delete(fail) || this.isSilent) return
          for (const message of replies) reply(message)
          resolve()
          this.answered?.()
        })
      }
      this.#clock.after(WIRE_MS, () => {
        if (!this.isSilent) void answer()
      })
    })
  }
}

export interface SetOptions {
  readonly set: string
  readonly brokers: Readonly<Record<string, FakeBroker>>
}

/** Several brokers, what the registry says of them, and a gateway before them. */
export class FakeCluster {
  readonly clock = new SimulatedClock()
  readonly brokers = new Map<string, FakeBroker>()
  readonly gateway: Gateway
  readonly #sets = new Map<string, SetServing>()
  readonly #setListeners = new Set<(changed: SetServing) => void>()
  readonly #channelListeners = new Set<(address: string) => void>()
  readonly #topics: readonly string[]

  /** `topics` are on every set. */
  constructor(topics: readonly string[]) {
    this.#topics = topics
    const sets = this.#sets
    const view: ServingView = {
      get sets() {
        return [...sets.values()]
      },
      set: (name) => sets.get(name),
      onChange: (listener) => {
        this.#setListeners.add(listener)
        return () => this.#setListeners.delete(listener)
      },
    }
    const channels: BrokerChannels = {
      to: (address) => this.broker(address),
      onChange: (listener) => {
        this.#channelListeners.add(listener)
        return () => this.#channelListeners.delete(listener)
      },
    }
    const catalog: RouteCatalog = {
      topic: (name) =>
        topics.includes(name)
          ? [...sets.keys()].map((set) => ({
              set,
              readQueues: 1,
              writeQueues: 1,
              perm: 6,
              type: 'NORMAL' as const,
            }))
          : [],
      group: () => undefined,
      createTopic: async () => [],
    }
    this.gateway = new Gateway({
      view,
      channels,
      catalog,
      clock: this.clock,
      logger: silentLogger,
      meter: silentMeter,
    })
  }

  /** Adds a broker at `address`. */
  add(address: string, set: string): FakeBroker {
    const broker = new FakeBroker(this.clock, set, this.#topics)
    this.brokers.set(address, broker)
    return broker
  }

  broker(address: string): FakeBroker {
    const broker = this.brokers.get(address)
    if (!broker) throw new Error(`no broker at ${address}`)
    return broker
  }

  /** What the registry says of a set from now on; the broker that serves is told too. */
  says(
    set: string,
    state: {
      readonly serving?: [epoch: number, address: string]
      readonly writable?: string
      readonly diskFull?: boolean
      /** It is not known whether the token is still there. */
      readonly onPromise?: boolean
      readonly retired?: number
    },
  ): void {
    const { serving, writable, diskFull = false, onPromise = false, retired } = state
    if (serving) this.broker(serving[1]).api.servingEpoch = serving[0]
    const said: SetServing = {
      cluster: 'DefaultCluster',
      set,
      members: [],
      ...(serving && {
        serving: {
          epoch: serving[0],
          identity: serving[1],
          grpcAddress: serving[1],
          suspect: false,
          ...(onPromise && { onPromise }),
        },
      }),
      ...(retired !== undefined && { retired }),
      ...(writable && { writable: { identity: writable, grpcAddress: writable, logEpoch: 1, diskFull } }),
    }
    this.#sets.set(set, said)
    for (const listener of this.#setListeners) listener(said)
  }

  channelChanged(address: string): void {
    for (const listener of this.#channelListeners) listener(address)
  }

  /** A client's call through the gateway, mapped to an answer as the edge does. */
  async call(
    method: string,
    request: Uint8Array,
    options: { readonly deadlineMs?: number; readonly signal?: AbortSignal } = {},
  ) {
    const { deadlineMs = 3_000, signal = new AbortController().signal } = options
    const context: CallContext = {
      clientId: 'client@1',
      peer: { ip: '10.0.0.1', port: 5000 },
      language: 'JAVA',
      clientVersion: '5.0.8',
      deadline: this.clock.monotonic() + deadlineMs,
      signal,
    }
    const replies: Uint8Array[] = []
    try {
      await this.gateway.call(method, request, context, (message) => replies.push(message))
    } catch (thrown) {
      const status = statusOf(thrown)
      if (!status) throw thrown
      replies.push(...failureAnswer(method, request, status, this.clock.now()))
    }
    return { replies, atMs: this.clock.monotonic() }
  }

  async send(
    topic: string,
    options: { readonly group?: string; readonly deadlineMs?: number; readonly body?: Buffer } = {},
  ) {
    const { group, body = Buffer.from('x'), ...rest } = options
    const { replies, atMs } = await this.call('SendMessage', sendRequest(topic, body, group), rest)
    return { response: rocketmq.SendMessageResponse.decode(replies[0] ?? new Uint8Array()), atMs }
  }

  async receive(
    topic: string,
    options: { readonly broker?: string; readonly deadlineMs?: number; readonly signal?: AbortSignal } = {},
  ) {
    const { broker = 'broker-a', deadlineMs = 23_000, ...rest } = options
    const { replies, atMs } = await this.call('ReceiveMessage', receiveRequest(topic, broker), {
      deadlineMs,
      ...rest,
    })
    const frames = replies.map((reply) => rocketmq.ReceiveMessageResponse.decode(reply).content)
    const status = frames.find((frame) => frame?.$case === 'status')
    const messages = frames.flatMap((frame) => (frame?.$case === 'message' ? [frame.value] : []))
    return { code: status?.$case === 'status' ? status.value.code : undefined, messages, frames, atMs }
  }
}

let counter = 0

export function sendRequest(topic: string, body: Buffer, messageGroup?: string): Uint8Array {
  counter += 1
  const systemProperties = rocketmq.SystemProperties.create({
    messageId: `01TEST${counter}`,
    bodyEncoding: rocketmq.Encoding.IDENTITY,
    ...(messageGroup === undefined ? {} : { messageGroup }),
  })
  const message = {
    topic: { resourceNamespace: '', name: topic },
    userProperties: new Map(),
    systemProperties,
    body,
  }
  return rocketmq.SendMessageRequest.encode({ messages: [message] }).finish()
}

export function receiveRequest(topic: string, broker: string): Uint8Array {
  return rocketmq.ReceiveMessageRequest.encode(
    rocketmq.ReceiveMessageRequest.create({
      group: { resourceNamespace: '', name: 'group' },
      messageQueue: rocketmq.MessageQueue.create({
        topic: { resourceNamespace: '', name: topic },
        broker: { name: broker, id: 0, endpoints: undefined },
      }),
      filterExpression: { type: rocketmq.FilterType.TAG, expression: '*' },
      batchSize: 32,
      autoRenew: true,
      longPollingTimeout: { seconds: 20, nanos: 0 },
    }),
  ).finish()
}
