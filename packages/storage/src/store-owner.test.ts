import { expect, test } from 'vitest'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

const set = { cluster: 'DefaultCluster', set: 'broker-a' }
const master = { ...set, role: 'master' as const }
const slave = { ...set, role: 'slave' as const }

test("a slave refuses its master's store and leaves it the master's; at the operator's word it is a slave's", async () => {
  const bench = new StoreBench()
  const store = await bench.openMaster({ owner: master })
  store.append(message('one'))
  await bench.clock.outcome(store.close())
  await expect(bench.open({ owner: slave })).rejects.toMatchObject({
    code: 'STORE_FOREIGN',
    message: expect.stringContaining("is a master's store, this broker is a slave"),
  })
  await bench.clock.outcome((await bench.open({ owner: master })).close())

  const demoted = await bench.open({ owner: { ...slave, takesOtherStore: true } })
  expect(bodies(demoted)).toEqual(['one'])
  await bench.clock.outcome(demoted.close())
  await expect(bench.open({ owner: master })).rejects.toMatchObject({
    code: 'STORE_FOREIGN',
    message: expect.stringContaining("is a slave's store, this broker is a master"),
  })
  expect(bodies(await bench.open({ owner: slave }))).toEqual(['one'])
})

test('a directory without a log has no role yet', async () => {
  const bench = new StoreBench()
  await bench.clock.outcome((await bench.open({ owner: slave })).close())
  await bench.clock.outcome((await bench.open({ owner: master })).close())
  expect((await bench.open({ owner: slave })).end).toBe(0)
})
