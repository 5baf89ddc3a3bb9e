import { rocketmq } from '@tandemmq/rpc'
import { RecordingMeter } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { EdgeMetrics } from './edge-metrics.ts'

const { ClientType, Language } = rocketmq

function consumer(group: string, version = '5.0.7'): rocketmq.Settings {
  return rocketmq.Settings.create({
    clientType: ClientType.SIMPLE_CONSUMER,
    userAgent: { language: Language.JAVA, version, platform: '', hostname: '' },
    pubSub: {
      $case: 'subscription',
      value: { group: { name: group, resourceNamespace: '' }, subscriptions: [] },
    },
  })
}

const producer = rocketmq.Settings.create({
  clientType: ClientType.PRODUCER,
  userAgent: { language: Language.NODE_JS, version: '1.0.8', platform: '', hostname: '' },
  pubSub: { $case: 'publishing', value: { topics: [], maxBodySize: 0, validateMessageType: true } },
})

test('clients of one kind are counted together', () => {
  const meter = new RecordingMeter()
  const push = { ...consumer('billing'), clientType: ClientType.PUSH_CONSUMER }
  const clients = [producer, consumer('billing'), consumer('billing'), push, consumer('audit')]
  void new EdgeMetrics(meter, () => clients)
  const consumers = (labels: Readonly<Record<string, string>>): number | undefined =>
    meter.value('rocketmq_consumer_connections', labels)
  expect(consumers({ consumer_group: 'billing', consume_mode: 'pull', language: 'java' })).toBe(2)
  expect(consumers({ consumer_group: 'billing', consume_mode: 'push' })).toBe(1)
  expect(consumers({ consumer_group: 'audit' })).toBe(1)
  expect(meter.readings('rocketmq_producer_connections')).toEqual([
    { labels: { language: 'node_js', version: '1.0.8', protocol_type: 'grpc' }, value: 1 },
  ])
})

test('clients cannot make series without end, nor long ones', () => {
  const meter = new RecordingMeter()
  const clients = Array.from({ length: 1_500 }, (_, i) => consumer('billing', `${i} ${'x'.repeat(10_000)}`))
  void new EdgeMetrics(meter, () => clients)
  const readings = meter.readings('rocketmq_consumer_connections')
  expect(readings).toHaveLength(1_000)
  for (const { labels } of readings) expect(labels?.['version']?.length).toBe(32)
})

test('a call is counted by its method and how it ended', () => {
  const meter = new RecordingMeter()
  const metrics = new EdgeMetrics(meter, () => [])
  metrics.called('ForwardMessageToDeadLetterQueue', true, 3)
  metrics.called('ReceiveMessage', true, 20_000)
  metrics.called('ReceiveMessage', false, 1)
  const calls = (labels: Readonly<Record<string, string>>): number | undefined =>
    meter.value('rocketmq_rpc_latency', labels)
  expect(calls({ request_code: 'forward_message_to_dead_letter_queue', is_long_polling: 'false' })).toBe(1)
  expect(calls({ request_code: 'receive_message', is_long_polling: 'true', result: 'success' })).toBe(1)
  expect(calls({ request_code: 'receive_message', result: 'process_request_failed' })).toBe(1)
})
