import { encodeReport } from '@tandemmq/codec'
import { SeededRandom, SimulatedClock, SimulatedNet } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { SlaveLink } from './slave-link.ts'
import { Stranger } from './testing/stranger.ts'

const MASTER = { host: 'm', port: 10912 }
/** More than a net takes at once. */
const MANY_BYTES = 500_000

/** A link of a slave at `s`, and whoever takes its connections as its master. */
async function link({ isListening = true, beforeHello = (): Promise<void> => Promise.resolve() } = {}) {
  const clock = new SimulatedClock()
  const random = new SeededRandom(1)
  const net = new SimulatedNet({ clock, random })
  const masters: Stranger[] = []
  if (isListening) {
    await net.host('m').listen(MASTER, (connection) => void masters.push(new Stranger(connection)))
  }
  const events: string[] = []
  const slaves = new SlaveLink(
    { masterAddress: MASTER, peer: 'tandemmq', beforeHello },
    { net: net.host('s').attach(), clock, random },
    { dispatch: ({ kind }) => events.push(kind), piece: () => {}, caughtUp: () => {} },
  )
  const dialed = async (): Promise<void> => {
    void slaves.dial()
    await clock.runUntil(() => events.at(-1) === 'connected')
  }
  return { clock, masters, events, link: slaves, dialed }
}

test('a master that is not there: the attempt ends, and another may come', async () => {
  const { clock, events, link: slaves } = await link({ isListening: false })
  await clock.outcome(slaves.dial())
  await clock.outcome(slaves.dial())
  expect(events).toEqual(['connect-failed', 'connect-failed'])
})

test('a connection that the master ends is closed once; the next stands for itself', async () => {
  const { clock, masters, events, link: slaves, dialed } = await link()
  await dialed()
  masters[0]?.connection.destroy()
  await clock.runUntil(() => events.at(-1) === 'closed')
  await dialed()
  slaves.write(encodeReport(7))
  await clock.advance(1_000)
  expect(events).toEqual(['connected', 'closed', 'connected'])
  expect(masters.map(({ received }) => received.length)).toEqual([0, 8])
})

test('an attempt that is hung up on is closed once, and what it still brings goes away', async () => {
  const slow = Promise.withResolvers<void>()
  const { clock, masters, events, link: slaves } = await link({ beforeHello: () => slow.promise })
  void slaves.dial()
  await clock.runUntil(() => masters.length === 1)
  await clock.advance(10)
  slaves.hangUp('enough', 'silent')
  slow.resolve()
  await clock.advance(5_000)
  expect(events).toEqual(['closed'])
  expect(masters.map(({ isClosed }) => isClosed)).toEqual([true])
})

test('a hung up connection is closed once; what it still brings is not told', async () => {
  const { clock, masters, events, link: slaves, dialed } = await link()
  await dialed()
  masters[0]?.say(Buffer.from('no hello of ours'))
  slaves.hangUp('enough', 'silent')
  await clock.advance(5_000)
  expect(events).toEqual(['connected', 'closed'])
  expect(masters[0]?.isClosed).toBe(true)
})

test.each([
  ['told', true],
  ['silent', false],
] as const)(
  'hung up on in the manner "%s": that all that was said gets there is %s',
  async (manner, isWhole) => {
    const { clock, masters, link: slaves, dialed } = await link()
    await dialed()
    slaves.write(Buffer.alloc(MANY_BYTES))
    slaves.hangUp('enough', manner)
    slaves.write(encodeReport(8))
    await clock.advance(5_000)
    expect(masters[0]?.received.length === MANY_BYTES).toBe(isWhole)
    expect(masters[0]?.isClosed).toBe(true)
  },
)

test('what has to be done before our hello is done before a connection counts', async () => {
  const order: string[] = []
  const { events, dialed } = await link({
    beforeHello: async () => void order.push(`before: ${events.join()}`),
  })
  await dialed()
  expect(order).toEqual(['before: '])
})
