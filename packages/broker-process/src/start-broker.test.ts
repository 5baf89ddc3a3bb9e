import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startBroker } from './start-broker.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'start-broker-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function settings(name: string, ...own: readonly string[]) {
  const always = ['grpcPort=0', 'httpPort=0', 'haListenPort=0', 'logLevel=error']
  return {
    arguments: [...always, `storePathRootDir=${join(directory, name)}`, ...own],
    environment: {},
  }
}

test('a master and a slave without metadata-rpc are ready as soon as the slave follows', async () => {
  await using opened = new AsyncDisposableStack()
  const master = await startBroker('master', settings('master', 'createLog=true'))
  opened.defer(() => master.close())
  const { ha, grpc } = await master.ready
  const following = ['brokerId=1', `haMasterAddress=${ha}`, `masterGrpcAddress=${grpc}`]
  const slave = await startBroker('slave', settings('slave', ...following))
  opened.defer(() => slave.close())
  expect(await slave.ready).toHaveProperty('grpc')
})
