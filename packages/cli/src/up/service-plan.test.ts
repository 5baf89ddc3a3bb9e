import { expect, test } from 'vitest'
import type { UpOptions } from './options.ts'
import { confOf, planServices, type ConfValues } from './service-plan.ts'

const base: UpOptions = {
  data: '/data',
  grpcPort: 8081,
  httpPort: 8080,
  replication: 'sync',
  flush: 'async',
  slaves: 1,
  sets: 1,
  autoCreate: 'on',
  json: false,
  stopWithinMs: 1,
}

function conf(service: string, options: UpOptions): ConfValues {
  const plans = planServices(options)
  const plan = plans.find(({ name }) => name === service)
  if (plan === undefined) throw new Error(`no ${service} in ${plans.map(({ name }) => name).join(', ')}`)
  return confOf(
    plan,
    (name) => ({ grpc: 1_000 + name.length, http: 2_000 + name.length, ha: 3_000 + name.length }),
    plans,
    options,
  )
}

test.each([
  ['sync', 'async', { brokerRole: 'SYNC_MASTER', flushDiskType: 'ASYNC_FLUSH', inSyncReplicas: 2 }],
  ['sync', 'sync', { brokerRole: 'SYNC_MASTER', flushDiskType: 'SYNC_FLUSH', inSyncReplicas: 2 }],
  ['async', 'async', { brokerRole: 'ASYNC_MASTER', flushDiskType: 'ASYNC_FLUSH' }],
  ['async', 'sync', { brokerRole: 'ASYNC_MASTER', flushDiskType: 'SYNC_FLUSH' }],
] as const)('replication %s and flush %s are Apache keys of the master', (replication, flush, keys) => {
  const values = conf('broker-master', { ...base, replication, flush })
  expect(values).toMatchObject({ ...keys, brokerName: 'broker-a', brokerId: 0, totalReplicas: 2 })
  expect('inSyncReplicas' in values).toBe('inSyncReplicas' in keys)
  expect('haMasterAddress' in values).toBe(false)
})

test('auto-create off is as a production broker', () => {
  expect(conf('broker-master', { ...base, autoCreate: 'off' })).toMatchObject({
    autoCreateTopicEnable: false,
    autoCreateSubscriptionGroup: false,
  })
})

test('metadata-rpc knows the sets and its own two ports', () => {
  expect(conf('metadata-rpc', { ...base, sets: 3 })).toMatchObject({
    grpcPort: 1_012,
    httpPort: 2_012,
    brokerSets: 'broker-a,broker-b,broker-c',
    storePathRootDir: '/data/metadata-rpc',
  })
})
