import { expect, test } from 'vitest'
import { brokerOptions, readBrokerConfiguration, type ServiceRole } from './broker-settings.ts'

function optionsOf(role: ServiceRole, ...settings: readonly string[]) {
  return brokerOptions(role, readBrokerConfiguration(role, { arguments: settings, environment: {} }), 8081)
}

function legacy(...settings: readonly string[]) {
  return optionsOf('master', ...settings).master?.legacySlaves
}

function slave(...settings: readonly string[]) {
  return optionsOf('slave', 'brokerId=1', 'haMasterAddress=127.0.0.1:10912', ...settings).slave
}

test('slaves of Apache are served where that is said, and counted only beyond that, never under SYNC_FLUSH (rule 2.6)', () => {
  expect(legacy()).toBe('none')
  expect(legacy('haLegacySlaves=true')).toBe('served')
  expect(legacy('haLegacySlaves=true', 'haLegacyCounts=true')).toBe('counted')
  expect(() => legacy('haLegacyCounts=true')).toThrow('false without haLegacySlaves')
  const sync = ['haLegacySlaves=true', 'haLegacyCounts=true', 'flushDiskType=SYNC_FLUSH']
  expect(() => legacy(...sync)).toThrow(/haLegacyCounts.*SYNC_FLUSH/)
})

test('a master of Apache is followed only where that is said, and needs no gRPC port', () => {
  expect(() => slave()).toThrow('masterGrpcAddress')
  expect(slave('haPeer=apache')).toMatchObject({
    peer: 'apache',
    masterHa: { host: '127.0.0.1', port: 10912 },
  })
  expect(slave('masterGrpcAddress=127.0.0.1:8081')).toMatchObject({ peer: 'tandemmq' })
})
