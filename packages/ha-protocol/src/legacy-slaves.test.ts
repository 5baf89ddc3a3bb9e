import { silentMeter, type Connection, type Meter } from '@tandemmq/base'
import { encodeReport } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { HA_PORT, Pair } from './testing/pair.ts'

interface ApacheSlave {
  readonly isOpen: () => boolean
  report(position: number): void
  close(): void
}

/** Connects as an Apache slave does, and reports. */
async function apacheSlave(pair: Pair, host: string, position: number): Promise<ApacheSlave> {
  const net = pair.net.host(host).attach()
  const connection: Connection = await pair.clock.outcome(net.connect({ host: 'm', port: HA_PORT }))
  let isOpen = true
  connection.start({ data: () => {}, drained: () => {}, closed: () => (isOpen = false) })
  connection.write(encodeReport(position))
  await pair.clock.advance(10)
  return {
    isOpen: () => isOpen,
    report: (at) => void connection.write(encodeReport(at)),
    close: () => connection.destroy(),
  }
}

function namesOfHistograms(names: Set<unknown>): Meter {
  return { ...silentMeter, histogram: () => ({ observe: (_, labels) => names.add(labels?.['identity']) }) }
}

test('a slave that connects twice counts once, and the newest connection stands for it (rules 2.4, 2.6)', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen({ legacySlaves: 'counted', inSyncReplicas: 3 })
  const first = await apacheSlave(pair, 'x', 100)
  expect(first.isOpen()).toBe(true)
  const second = await apacheSlave(pair, 'x', 60)
  expect([first.isOpen(), second.isOpen()]).toEqual([false, true])
  expect(master.replicated.at).toBe(0)
  expect(master.replicas()).toMatchObject([{ identity: 'apache@x', received: 60, counted: true }])
  await apacheSlave(pair, 'y', 50)
  expect(master.replicated.at).toBe(50)
})

test('where they are not counted each connection is shown by its address, and they are no strangers that make room', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen({ legacySlaves: 'served' })
  const slave = await apacheSlave(pair, 'x', 100)
  expect(master.replicas()).toMatchObject([{ identity: expect.stringMatching(/^apache@x:/), counted: false }])
  const net = pair.net.host('z').attach()
  for (let n = 0; n < 70; n += 1) await pair.clock.outcome(net.connect({ host: 'm', port: HA_PORT }))
  expect([slave.isOpen(), master.replicated.at]).toEqual([true, 0])
})

test('one that comes again and again, uncounted, leaves nothing behind, and does not push out what is known of others', async () => {
  const pair = new Pair()
  const measured = new Set<unknown>()
  pair.masterMeter = namesOfHistograms(measured)
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen({ legacySlaves: 'served' })
  pair.follow(pair.emptyLog())
  await pair.clock.outcome(master.waitFor(100))
  for (let n = 0; n < 200; n += 1) {
    const slave = await apacheSlave(pair, 'x', 0)
    slave.report(100)
    await pair.clock.advance(10)
    slave.close()
  }
  await pair.clock.advance(10)
  expect(master.slaves().map(({ identity }) => identity)).toEqual(['slave-1'])
  expect(measured).toEqual(new Set(['slave-1', 'apache@x']))
  await master.close()
})

test('their number is bounded', async () => {
  const pair = new Pair()
  const master = await pair.listen({ legacySlaves: 'served' })
  for (let n = 0; n < 64; n += 1) await apacheSlave(pair, 'x', 0)
  const late = await apacheSlave(pair, 'x', 0)
  expect([late.isOpen(), master.replicas().length]).toEqual([false, 64])
})
