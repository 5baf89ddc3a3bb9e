import { HA_PROTOCOL_VERSION, type Hello } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { HeardReplicas } from './heard-replicas.ts'

function hello(identity: string, end: number): Hello {
  return {
    protocolVersion: HA_PROTOCOL_VERSION,
    role: 'slave',
    cluster: 'DefaultCluster',
    set: 'broker-a',
    identity,
    instanceId: 's-1',
    nonce: Buffer.alloc(16),
    begin: 0,
    end,
    flushed: end,
    flush: 'never',
    segmentBytes: 65_536,
    wallClock: 0,
  }
}

test('names without number are not remembered, those of the roster are, each by its last hello', () => {
  const heard = new HeardReplicas(() => ['broker-a-1'])
  expect(heard.isEmpty).toBe(true)
  for (let n = 0; n < 10_000; n += 1) heard.add(hello(`nobody-${n}`, 1))
  expect(heard.all.length).toBeLessThanOrEqual(256)
  heard.add(hello('broker-a-1', 5))
  heard.add(hello('broker-a-1', 7))
  expect([heard.has('broker-a-1'), heard.has('nobody-9999'), heard.all.at(-1)?.end]).toEqual([true, false, 7])
})
