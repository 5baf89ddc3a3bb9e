import { expect, test } from 'vitest'
import { HA_PORT, Pair } from './testing/pair.ts'

/** Connects and says it; counts as over when the master has hung up. */
async function call(pair: Pair, bytes?: Buffer): Promise<{ isClosed: boolean }> {
  const net = pair.net.host('x').attach()
  const connection = await pair.clock.outcome(net.connect({ host: 'm', port: HA_PORT }))
  const stranger = { isClosed: false }
  connection.start({ data: () => {}, drained: () => {}, closed: () => (stranger.isClosed = true) })
  if (bytes !== undefined) connection.write(bytes)
  return stranger
}

test('a thousand strangers with garbage are told in a few lines, and a slave is accepted beside them', async () => {
  const pair = new Pair()
  const master = await pair.listen()
  for (let n = 0; n < 1_000; n++) await call(pair, Buffer.alloc(64, 0x7f))
  await pair.clock.advance(100)
  expect(pair.masterLogger.messages('warn')).toEqual(
    Array.from({ length: 10 }, () => 'somebody who is no slave was hung up on'),
  )
  pair.follow(pair.emptyLog())
  await pair.clock.runUntil(() => master.knownReplicas() === 2)
  expect(pair.masterLogger.messages('info')).toContain('slave accepted')
  await pair.clock.advance(60_000)
  expect(pair.masterLogger.lines.map(({ facts }) => facts)).toContainEqual(
    expect.objectContaining({ line: 'somebody who is no slave was hung up on', count: 990 }),
  )
})

test('strangers that say nothing make room for each other, in a few lines', async () => {
  const pair = new Pair()
  const master = await pair.listen()
  const strangers: { isClosed: boolean }[] = []
  for (let n = 0; n < 500; n++) strangers.push(await call(pair))
  await pair.clock.advance(100)
  expect(strangers.filter(({ isClosed }) => !isClosed)).toHaveLength(64)
  pair.follow(pair.emptyLog())
  await pair.clock.runUntil(() => master.knownReplicas() === 2)
  await pair.clock.advance(6_000)
  expect(strangers.every(({ isClosed }) => isClosed)).toBe(true)
  expect(pair.masterLogger.messages('warn').length).toBeLessThanOrEqual(20)
})
