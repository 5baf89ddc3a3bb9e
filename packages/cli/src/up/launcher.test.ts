import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Launched, temporaryDirectory } from './launched.test-kit.ts'
import type { ReadyReport } from './ready-report.ts'

async function reportOf(launched: Launched): Promise<ReadyReport> {
  const report: ReadyReport = JSON.parse(await launched.line('"ready":true'))
  return report
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Connects to a service; `closed` resolves when the service hangs up. */
async function hangUp(address: string): Promise<{ readonly closed: Promise<unknown> }> {
  const socket = connect(Number(address.slice(address.lastIndexOf(':') + 1)), '127.0.0.1')
  await once(socket, 'connect')
  socket.resume()
  return { closed: once(socket, 'close') }
}

test('--json: one line on standard output with every address, and SIGINT ends all with code 0', async () => {
  using directory = temporaryDirectory()
  await using launched = new Launched(directory.path, ['--json'])
  const report = await reportOf(launched)
  expect(report).toMatchObject({ ready: true, okMeans: 'nothing, in a test', startMs: expect.any(Number) })
  expect(report.grpc).toMatch(/^127\.0\.0\.1:\d+$/)
  expect(report.http).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(Object.keys(report.services)).toEqual(['metadata-rpc', 'broker-master', 'broker-slave'])
  const master = report.services['broker-master']
  expect(master?.config).toBe(join(directory.path, 'conf', 'broker-master.conf'))
  expect(master?.http).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const slaveConf = readFileSync(join(directory.path, 'conf', 'broker-slave.conf'), 'utf8')
  expect(slaveConf).toContain(`haMasterAddress=${master?.ha}`)
  expect(slaveConf).toContain(`masterGrpcAddress=${master?.grpc}`)
  expect(slaveConf).toContain(`namesrvAddr=${report.grpc}`)
  expect(await launched.stop('SIGINT')).toBe(0)
  expect(launched.out).toHaveLength(1)
  expect(launched.err.join('\n')).toMatch(/broker-master +\| .* info {2}started/)
  for (const { pid } of Object.values(report.services)) expect(isAlive(pid)).toBe(false)
  const log = readFileSync(join(directory.path, 'logs', 'broker-master.log'), 'utf8')
  expect(log).toContain('"msg":"stopping"')
})

test('a second start goes on with the same ports and secrets, and a second launcher is refused meanwhile', async () => {
  using directory = temporaryDirectory()
  const secretFile = join(directory.path, 'conf', 'set-secret')
  const first = new Launched(directory.path, ['--json'])
  const before = await reportOf(first)
  const secret = readFileSync(secretFile, 'utf8')
  expect(secret).toMatch(/^[0-9a-f]{64}\n$/)
  expect(statSync(secretFile).mode & 0o777).toBe(0o600)

  const other = new Launched(directory.path, [])
  expect(await other.ended).toBe(1)
  expect(other.err.join('\n')).toContain(`another launcher is running on ${directory.path}`)
  expect(await first.stop('SIGTERM')).toBe(0)

  await using second = new Launched(directory.path, ['--json'])
  const after = await reportOf(second)
  expect(after.services['broker-slave']?.http).toBe(before.services['broker-slave']?.http)
  expect(after.grpc).toBe(before.grpc)
  expect(after.services['broker-master']?.ha).toBe(before.services['broker-master']?.ha)
  expect(readFileSync(secretFile, 'utf8')).toBe(secret)
})

test('a service that dies stays down, and the launcher says how to bring it back', async () => {
  using directory = temporaryDirectory()
  await using launched = new Launched(directory.path, ['--json'])
  const { services } = await reportOf(launched)
  const master = services['broker-master']
  if (master === undefined) throw new Error('there is a master')
  process.kill(master.pid, 'SIGKILL')
  await launched.line('broker-master was ended by SIGKILL and stays down')
  await launched.line(`npm run service -- broker-master -c ${master.config}`)
  expect(isAlive(services['broker-slave']?.pid ?? 0)).toBe(true)
  expect(await launched.stop('SIGTERM')).toBe(0)
})

test('a service that cannot start ends everything with code 1 and its reason', async () => {
  using directory = temporaryDirectory()
  const launched = new Launched(directory.path, [], { STAND_IN_FAILS: 'broker-slave' })
  expect(await launched.ended).toBe(1)
  const said = launched.out.join('\n')
  expect(said).toContain('broker-slave ended with code 3 before it was ready')
  expect(said).toMatch(/broker-slave +\| this data directory is from another cluster/)
})

test('a service that does not stop is killed with a word; a paused one is woken to stop', async () => {
  using directory = temporaryDirectory()
  const launched = new Launched(directory.path, ['--json', '--stop-within-ms', '1000'], {
    STAND_IN_DEAF: 'broker-master',
  })
  const { services } = await reportOf(launched)
  process.kill(services['broker-slave']?.pid ?? 0, 'SIGSTOP')
  expect(await launched.stop('SIGTERM')).toBe(0)
  const said = launched.err.join('\n')
  expect(said).toContain('broker-master did not stop within 1 s and is killed')
  expect(said).not.toContain('broker-slave did not stop')
})

test('a launcher that is killed takes its services with it', async () => {
  using directory = temporaryDirectory()
  const first = new Launched(directory.path, ['--json'])
  const before = await reportOf(first)
  const lines = [before.grpc, ...Object.values(before.services).map(({ grpc }) => grpc)]
  const hungUp = await Promise.all(lines.filter((address) => address !== undefined).map(hangUp))
  await first.stop('SIGKILL')
  await Promise.all(hungUp.map(({ closed }) => closed))
  await using second = new Launched(directory.path, ['--json'])
  expect((await reportOf(second)).grpc).toBe(before.grpc)
})

test('a taken port: who has it, and which one is taken instead', async () => {
  using directory = temporaryDirectory()
  const taken = createServer()
  await once(taken.listen(0, '127.0.0.1'), 'listening')
  const address = taken.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  await using launched = new Launched(directory.path, ['--json', '--http-port', String(port)])
  const report = await reportOf(launched)
  const [, instead] = /:(\d+)$/.exec(report.http) ?? []
  expect(Number(instead)).toBeGreaterThan(port)
  const said = await launched.line(`port ${port} is taken by`)
  expect(said).toContain(`HTTP of metadata-rpc takes ${instead}`)
  if (process.platform === 'linux') expect(said).toContain(`process ${process.pid}`)
  taken.close()
})

test('more sets and slaves: everyone has a name, and each slave follows the master of its set', async () => {
  using directory = temporaryDirectory()
  await using launched = new Launched(directory.path, ['--json', '--sets', '2', '--slaves', '2'])
  const { services } = await reportOf(launched)
  expect(Object.keys(services)).toEqual([
    'metadata-rpc',
    'broker-master',
    'broker-slave',
    'broker-slave-2',
    'broker-b-master',
    'broker-b-slave',
    'broker-b-slave-2',
  ])
  const conf = readFileSync(services['broker-b-slave-2']?.config ?? '', 'utf8')
  expect(conf).toContain('brokerName=broker-b\nbrokerId=2\nbrokerRole=SLAVE\n')
  expect(conf).toContain(`haMasterAddress=${services['broker-b-master']?.ha}\n`)
})

test('the master of an empty directory is told that it may begin a log, and never again once a broker has a store there', async () => {
  using directory = temporaryDirectory()
  const started = async (): Promise<string> => {
    await using launched = new Launched(directory.path, ['--json'])
    await reportOf(launched)
    await launched.stop('SIGINT')
    return launched.err.filter((line) => line.includes('started')).join('\n')
  }
  const first = await started()
  expect(first).toMatch(/broker-master .*settings=createLog=true/)
  expect(first).not.toMatch(/broker-slave .*createLog/)
  mkdirSync(join(directory.path, 'broker-slave'))
  expect(await started()).not.toContain('createLog')
  const conf = readFileSync(join(directory.path, 'conf', 'broker-master.conf'), 'utf8')
  expect(conf).not.toContain('createLog')
})
