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
  for (let n = 0; n < 10_000; n += 1) heard.add(hello(`nobody-${n}`, 1))
  expect(heard.all.length).toBeLessThanOrEqual(256)
  heard.add(hello('broker-a-1', 5))
  heard.add(hello('broker-a-1', 7))
  const names = heard.all.map(({ identity }) => identity)
  expect([names.includes('nobody-9999'), names.at(-1), heard.all.at(-1)?.end]).toEqual([
    false,
    'broker-a-1',
    7,
  ])
})

test('who is empty or has another log holds nothing of this one', () => {
  const heard = new HeardReplicas(() => [])
  heard.add({ ...hello('holder', 9), lineage: { logId: 'this', epochs: [] } })
  heard.add({ ...hello('stranger', 9), lineage: { logId: 'other', epochs: [] } })
  heard.add({ ...hello('emptied', 0), lineage: { logId: 'this', epochs: [] } })
  heard.add(hello('new', 0))
  expect(heard.holdersOf('this').map(({ identity }) => identity)).toEqual(['holder'])
  expect(heard.holdersOf(undefined)).toEqual([])
})
