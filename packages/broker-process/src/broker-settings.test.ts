import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { MESSAGE_BODY_BYTES_MAX } from '@tandemmq/wire-grpc'
import { afterAll, expect, test } from 'vitest'
import { brokerOptions, readBrokerConfiguration } from './broker-settings.ts'

const directory = mkdtempSync(join(tmpdir(), 'tandemmq-settings-'))
const secret = join(directory, 'set-secret')
writeFileSync(secret, 'x'.repeat(32))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function addressesOf(...given: readonly string[]): readonly (string | undefined)[] {
  const configuration = readBrokerConfiguration('master', { arguments: given, environment: {} })
  const { grpcAddress, master } = brokerOptions('master', configuration, 8081)
  return [grpcAddress, master?.haAdvertisedHost]
}

test('a broker that others can reach does not send them to their own loopback address', () => {
  const open = [`setSecretFile=${secret}`, 'listenAddress=0.0.0.0']
  expect(addressesOf()).toEqual(['127.0.0.1:8081', '127.0.0.1'])
  expect(addressesOf(...open)).toEqual([`${hostname()}:8081`, hostname()])
  expect(addressesOf(...open, 'brokerIP1=10.0.0.7')).toEqual(['10.0.0.7:8081', '10.0.0.7'])
})

function maxOf(bytes: number): number | undefined {
  const given = { arguments: [`maxMessageSize=${bytes}`], environment: {} }
  return brokerOptions('master', readBrokerConfiguration('master', given), 8081).maxMessageBytes
}

test('no larger message may be configured than gRPC delivers', () => {
  expect(maxOf(MESSAGE_BODY_BYTES_MAX)).toBe(MESSAGE_BODY_BYTES_MAX)
  expect(() => maxOf(MESSAGE_BODY_BYTES_MAX + 1)).toThrow('maxMessageSize')
})

function replicasOf(...given: readonly string[]): readonly (number | undefined)[] {
  const configuration = readBrokerConfiguration('master', { arguments: given, environment: {} })
  const { totalReplicas, mode } = brokerOptions('master', configuration, 8081)
  return [totalReplicas, mode.inSyncReplicas]
}

function leastOf(...given: readonly string[]): number | undefined {
  const sync = ['brokerRole=SYNC_MASTER', 'inSyncReplicas=3']
  const configuration = readBrokerConfiguration('master', { arguments: [...sync, ...given], environment: {} })
  return brokerOptions('master', configuration, 8081).mode.leastInSyncReplicas
}

test('OK may come to mean less only where that is allowed, and never less than is said', () => {
  expect(leastOf()).toBeUndefined()
  expect(leastOf('minInSyncReplicas=2')).toBeUndefined()
  expect(leastOf('enableAutoInSyncReplicas=true')).toBe(1)
  expect(leastOf('enableAutoInSyncReplicas=true', 'minInSyncReplicas=2')).toBe(2)
  expect(() => leastOf('enableAutoInSyncReplicas=true', 'minInSyncReplicas=4')).toThrow('minInSyncReplicas')
})

test('the settings that Apache ships in conf/2m-2s-sync start, and wait for a slave', () => {
  expect(replicasOf('brokerRole=SYNC_MASTER', 'flushDiskType=ASYNC_FLUSH')).toEqual([2, 2])
  expect(replicasOf('brokerRole=SYNC_MASTER', 'inSyncReplicas=3')).toEqual([3, 3])
  expect(replicasOf('brokerRole=SYNC_MASTER', 'totalReplicas=3')).toEqual([3, 2])
  expect(replicasOf()).toEqual([1, 2])
  expect(() => replicasOf('brokerRole=SYNC_MASTER', 'totalReplicas=1')).toThrow('at most totalReplicas')
})
