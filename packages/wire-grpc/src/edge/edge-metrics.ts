import type { Histogram, Labels, Meter, Reading } from '@tandemmq/base'
import { rocketmq } from '@tandemmq/rpc'

/** Apache's bounds of `rocketmq_rpc_latency`, ms. */
const LATENCY_BOUNDS = [1, 3, 5, 7, 10, 100, 1_000, 2_000, 3_000]
/** Kinds of clients beyond this are not shown: their versions and groups are what they say of themselves. */
const KINDS_MAX = 1_000
const VERSION_LENGTH_MAX = 32

const LANGUAGES = new Map<number, string>(
  Object.entries(rocketmq.Language).map(([name, value]) => [value, name.toLowerCase()]),
)

/** Calls of clients and their connections, under Apache's names. */
export class EdgeMetrics {
  readonly #latency: Histogram
  /** By method and result, so that a call makes no new object. */
  readonly #labels = new Map<string, Labels>()

  constructor(meter: Meter, connected: () => Iterable<rocketmq.Settings>) {
    this.#latency = meter.histogram(
      'rocketmq_rpc_latency',
      'From a call of a client to its answer, ms; for a receive the wait for messages included.',
      LATENCY_BOUNDS,
      ['protocol_type', 'request_code', 'is_long_polling', 'result'],
    )
    meter.observe(
      'rocketmq_producer_connections',
      'Producers that are connected.',
      ['language', 'version', 'protocol_type'],
      () => counted(connected(), producerLabels),
    )
    meter.observe(
      'rocketmq_consumer_connections',
      'Consumers that are connected.',
      ['consumer_group', 'language', 'version', 'consume_mode', 'protocol_type', 'is_system'],
      () => counted(connected(), consumerLabels),
    )
  }

  /** `method` is one that is offered; `isAnswered`: not by this edge with a refusal. */
  called(method: string, isAnswered: boolean, tookMs: number): void {
    const key = isAnswered ? method : `${method}!`
    let labels = this.#labels.get(key)
    if (labels === undefined) {
      labels = {
        protocol_type: 'grpc',
        request_code: method.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase(),
        is_long_polling: `${method === 'ReceiveMessage'}`,
        result: isAnswered ? 'success' : 'process_request_failed',
      }
      this.#labels.set(key, labels)
    }
    this.#latency.observe(tookMs, labels)
  }
}

function counted(
  clients: Iterable<rocketmq.Settings>,
  labelsOf: (settings: rocketmq.Settings) => Labels | undefined,
): readonly Reading[] {
  const kinds = new Map<string, { readonly labels: Labels; value: number }>()
  for (const settings of clients) {
    const labels = labelsOf(settings)
    if (labels === undefined) continue
    const key = JSON.stringify(labels)
    const kind = kinds.get(key)
    if (kind !== undefined) kind.value += 1
    else if (kinds.size < KINDS_MAX) kinds.set(key, { labels, value: 1 })
  }
  return [...kinds.values()]
}

function producerLabels(settings: rocketmq.Settings): Labels | undefined {
  return settings.pubSub?.$case === 'publishing' ? { ...agentOf(settings), protocol_type: 'grpc' } : undefined
}

function consumerLabels(settings: rocketmq.Settings): Labels | undefined {
  const { pubSub, clientType } = settings
  if (pubSub?.$case !== 'subscription') return undefined
  const { PUSH_CONSUMER, LITE_PUSH_CONSUMER } = rocketmq.ClientType
  const isPush = clientType === PUSH_CONSUMER || clientType === LITE_PUSH_CONSUMER
  return {
    consumer_group: pubSub.value.group?.name ?? '',
    ...agentOf(settings),
    consume_mode: isPush ? 'push' : 'pull',
    protocol_type: 'grpc',
    is_system: 'false',
  }
}

function agentOf({ userAgent }: rocketmq.Settings): { readonly language: string; readonly version: string } {
  return {
    language: LANGUAGES.get(userAgent?.language ?? 0) ?? 'unspecified',
    version: (userAgent?.version ?? '').slice(0, VERSION_LENGTH_MAX),
  }
}
