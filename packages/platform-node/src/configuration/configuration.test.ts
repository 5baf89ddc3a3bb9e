import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfiguration } from './configuration.ts'
import { address, flag, integer, name, oneOf, port, text } from './key.ts'
import { renderReference } from './reference.ts'

const schema = {
  brokerName: name({ default: 'broker-a', text: 'The broker set.' }),
  brokerRole: oneOf(['ASYNC_MASTER', 'SYNC_MASTER', 'SLAVE'], { default: 'ASYNC_MASTER', text: 'The role.' }),
  brokerIP1: text({ default: '127.0.0.1', text: 'Where clients reach it.' }),
  grpcPort: port({ default: 8081, text: 'The client port.' }),
  haMasterAddress: address({ default: '', text: 'The master.' }),
  slaveTimeout: integer({ default: 3_000, min: 1, max: 60_000, unit: 'ms', text: 'How long a send waits.' }),
  autoCreateTopicEnable: flag({ default: true, text: 'Topics come to be at first use.' }),
  adminToken: text({
    default: '',
    secret: true,
    pattern: { matches: /^\w{8,}$/, allowed: 'at least 8 letters or digits' },
    text: 'Opens the admin API.',
  }),
}

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tandemmq-conf-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function file(content: string): string {
  const path = join(directory, 'broker.conf')
  writeFileSync(path, content)
  return path
}

test('defaults, then the file, then the environment, then arguments', () => {
  const path = file('brokerName=from-file\nslaveTimeout=1\ngrpcPort=1\nautoCreateTopicEnable=false\n')
  const { values, ...configuration } = readConfiguration(schema, {
    arguments: ['-c', path, 'grpcPort=3'],
    environment: {
      TANDEMMQ_GRPC_PORT: '2',
      TANDEMMQ_slaveTimeout: '2',
      TANDEMMQ_BROKER_IP1: '10.0.0.1',
      HOME: '/',
    },
  })
  const role: 'ASYNC_MASTER' | 'SYNC_MASTER' | 'SLAVE' = values.brokerRole
  expect(role).toBe('ASYNC_MASTER')
  expect({ ...values }).toEqual({
    brokerName: 'from-file',
    brokerRole: 'ASYNC_MASTER',
    brokerIP1: '10.0.0.1',
    grpcPort: 3,
    haMasterAddress: '',
    slaveTimeout: 2,
    autoCreateTopicEnable: false,
    adminToken: '',
  })
  expect(Object.isFrozen(values)).toBe(true)
  expect(configuration.file).toBe(path)
  expect(configuration.warnings).toEqual([])
  expect(configuration.isGiven('grpcPort')).toBe(true)
  expect(configuration.isGiven('brokerRole')).toBe(false)
})

function refused(given: readonly string[], environment: Record<string, string> = {}): string {
  try {
    readConfiguration(schema, { arguments: given, environment })
  } catch (refusal) {
    expect(refusal).toMatchObject({ code: 'CONFIG_INVALID' })
    return refusal instanceof Error ? refusal.message : ''
  }
  return 'was not refused'
}

test('a wrong value is refused in one sentence: key, what is allowed, what was given, where', () => {
  const path = file('# top\nslaveTimeout=0\n')
  expect(refused(['-c', path])).toBe(
    `slaveTimeout must be an integer from 1 to 60000 (ms), but "0" was given (${path}:2)`,
  )
  expect(refused(['brokerRole=MASTER'])).toBe(
    'brokerRole must be one of ASYNC_MASTER, SYNC_MASTER, SLAVE, but "MASTER" was given (argument)',
  )
  expect(refused([], { TANDEMMQ_AUTO_CREATE_TOPIC_ENABLE: 'yes' })).toBe(
    'autoCreateTopicEnable must be true or false, but "yes" was given (environment variable TANDEMMQ_AUTO_CREATE_TOPIC_ENABLE)',
  )
  expect(refused(['haMasterAddress=10.0.0.1'])).toContain('must be host:port, or nothing')
  expect(refused(['haMasterAddress=10.0.0.1:65536'])).toContain('must be host:port')
  expect(refused(['grpcPort=1e3'])).toContain('grpcPort must be')
  expect(refused(['brokerName=../x'])).toContain('brokerName must be')
})

test('a secret is never printed', () => {
  expect(refused(['adminToken=hunter2'])).toBe(
    'adminToken must be at least 8 letters or digits, but what was given is not (argument)',
  )
})

test('a wrong way of asking is refused too', () => {
  expect(refused(['-c'])).toContain('needs the path')
  expect(refused(['-c', join(directory, 'none.conf')])).toContain('none.conf cannot be read')
  expect(refused(['-c', directory])).toContain('cannot be read')
  expect(refused(['--grpc-port', '1'])).toContain('neither -c FILE nor key=value')
})

test('unknown keys are warned about with their nearest neighbour, repeated ones by place', () => {
  const path = file('brokerNane=x\ndeleteWhen=04\ngrpcPort=1\ngrpcPort=2\n')
  const { warnings, values } = readConfiguration(schema, {
    arguments: ['-c', path],
    environment: { TANDEMMQ_GRPC_PROT: '7', TANDEMMQ_READY_FD: '3', TANDEMMQ_HOME: '/' },
    reservedVariables: ['TANDEMMQ_HOME'],
  })
  expect(values.grpcPort).toBe(2)
  expect(warnings).toEqual([
    `unknown key brokerNane (${path}:1) has no effect; did you mean brokerName?`,
    `unknown key deleteWhen (${path}:2) has no effect`,
    `grpcPort is given twice, by ${path}:3 and ${path}:4: the latter counts`,
    'unknown key GRPC_PROT (environment variable TANDEMMQ_GRPC_PROT) has no effect; did you mean grpcPort?',
  ])
})

test('a key that must be given names what was perhaps meant for it', () => {
  const path = file('brokerName=\n')
  const sources = {
    arguments: ['-c', path],
    environment: { TANDEMMQ_BROKR_NAME: 'b', TANDEMMQ_GRPC_PROT: '7' },
  }
  expect(() => readConfiguration(schema, sources)).toThrow(
    `but "" was given (${path}:1); unknown key BROKR_NAME (environment variable TANDEMMQ_BROKR_NAME) has no effect; did you mean brokerName?`,
  )
})

test('a value that is wrong only beside others is refused with its origin', () => {
  const configuration = readConfiguration(schema, { arguments: ['slaveTimeout=5'], environment: {} })
  expect(configuration.refusal('slaveTimeout', 'above 10 here').message).toBe(
    'slaveTimeout must be above 10 here, but "5" was given (argument)',
  )
  expect(configuration.refusal('haMasterAddress', 'given to a slave').message).toBe(
    'haMasterAddress must be given to a slave, but nothing was given',
  )
})

test('the reference names every key and prints no secret', () => {
  const reference = renderReference(schema)
  for (const key of Object.keys(schema)) expect(reference).toContain(`| \`${key}\` |`)
})

test('files of the surroundings are read before the one that is named, and need not exist', () => {
  const defaults = file('grpcPort=1\nslaveTimeout=1\nbrokerName=of-the-image\n')
  const own = join(directory, 'own.conf')
  writeFileSync(own, 'slaveTimeout=2\nbrokerName=mounted\n')
  const named = join(directory, 'named.conf')
  writeFileSync(named, 'brokerName=named\n')
  const { values, warnings } = readConfiguration(schema, {
    arguments: ['-c', named],
    environment: {
      TANDEMMQ_CONFIGURATION_FILES: [defaults, join(directory, 'none.conf'), own].join(delimiter),
    },
  })
  expect(values).toMatchObject({ grpcPort: 1, slaveTimeout: 2, brokerName: 'named' })
  expect(warnings).toEqual([])
})
