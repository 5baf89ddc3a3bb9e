import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { brokerOptions, readBrokerConfiguration, type ServiceRole } from './broker-settings.ts'

const directory = mkdtempSync(join(tmpdir(), 'tandemmq-security-'))
const secretFile = join(directory, 'set-secret')
writeFileSync(secretFile, 'x'.repeat(32))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const files = ['tlsCertPath=c', 'tlsKeyPath=k', 'tlsTrustCertPath=t']
const secret = `setSecretFile=${secretFile}`
const following = ['brokerId=1', 'haMasterAddress=h:1', 'masterGrpcAddress=h:2']

function optionsOf(role: ServiceRole, ...given: readonly string[]) {
  return brokerOptions(role, readBrokerConfiguration(role, { arguments: given, environment: {} }), 8081)
}

function haOf(...given: readonly string[]): readonly (string | undefined)[] {
  const { master } = optionsOf('master', ...given)
  return [master?.haListen.host, master?.haAdvertisedHost]
}

function whyNot(role: ServiceRole, ...given: readonly string[]): string {
  try {
    optionsOf(role, ...given)
  } catch (failure) {
    return String(failure)
  }
  return 'allowed'
}

test('beyond loopback the HA port needs a secret or mutual TLS, every other port a secret', () => {
  const open = 'haListenAddress=10.0.0.7'
  expect(whyNot('master', open)).toMatch(/haListenAddress must be a loopback address.* nor haTls=mutual/)
  expect(whyNot('master', open, 'haTls=on', ...files)).toContain('haListenAddress')
  expect(whyNot('master', 'haTls=mutual', ...files, 'listenAddress=10.0.0.7')).toContain(
    'listenAddress must be',
  )
  const narrow = ['listenAddress=10.0.0.7', 'haListenAddress=127.0.0.1']
  expect(whyNot('master', 'haTls=mutual', ...files, ...narrow)).toContain('listenAddress must be')
  expect(whyNot('master', open, 'haTls=mutual', ...files)).toBe('allowed')
  expect(whyNot('master', open, secret)).toBe('allowed')
  expect(whyNot('master', ...narrow, secret)).toBe('allowed')
})

test('the HA port has an address of its own where that is said, and slaves are told it', () => {
  const mutual = ['haTls=mutual', ...files]
  expect(haOf()).toEqual(['127.0.0.1', '127.0.0.1'])
  expect(haOf(secret, 'listenAddress=0.0.0.0', 'brokerIP1=10.0.0.1')).toEqual(['0.0.0.0', '10.0.0.1'])
  expect(haOf(...mutual, 'haListenAddress=10.1.0.1', 'brokerIP2=ha-a')).toEqual(['10.1.0.1', 'ha-a'])
  const both = ['listenAddress=10.0.0.1', 'brokerIP1=grpc-a', 'haListenAddress=10.1.0.1', 'brokerIP2=ha-a']
  expect(haOf(secret, ...both)).toEqual(['10.1.0.1', 'ha-a'])
  expect(optionsOf('slave', ...following, ...mutual, 'brokerIP2=ha-b').haIfMaster).toBe('ha-b:10912')
})

test('TLS needs its files, and is not to be had with brokers of Apache', () => {
  for (const missing of ['tlsCertPath', 'tlsKeyPath', 'tlsTrustCertPath']) {
    const given = files.filter((setting) => !setting.startsWith(missing))
    expect(whyNot('master', 'haTls=on', ...given)).toContain(
      `${missing} must be a file (PEM) with haTls or grpcTls`,
    )
    expect(whyNot('master', 'grpcTls=accepted', ...given)).toContain(`${missing} must be a file (PEM)`)
  }
  expect(whyNot('slave', ...following, 'haTls=on', ...files, 'haPeer=apache')).toMatch(
    /haTls must be off.*Apache/,
  )
  expect(whyNot('master', 'haTls=on', ...files, 'haLegacySlaves=true')).toMatch(
    /haLegacySlaves must be false/,
  )
})

test('only mutual TLS makes members show each other certificates', () => {
  expect(optionsOf('master', 'haTls=mutual', ...files).certified).toBe(true)
  expect(optionsOf('slave', ...following, 'haTls=mutual', ...files).certified).toBe(true)
  expect(optionsOf('master', 'haTls=on', ...files).certified).toBeUndefined()
})
