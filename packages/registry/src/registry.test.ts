import { silentLogger, type BrokerError } from '@tandemmq/base'
import { SimulatedClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { noDetails, type MemberHello, type MemberStatus } from './member.ts'
import type { RegistryAnswer } from './registry-answer.ts'
import type { RegistryOptions } from './registry-state.ts'
import { Registry } from './registry.ts'
import type { SetServing } from './serving-view.ts'

const hello: MemberHello = {
  cluster: 'DefaultCluster',
  set: 'broker-a',
  identity: 'broker-a-master',
  instanceId: 'p1',
  role: 'master',
  grpcAddress: '10.0.0.1:8081',
  haAddress: '10.0.0.1:10912',
  logId: '00112233445566778899aabbccddeeff',
  lastEpoch: 3,
  end: 100,
  inSyncReplicas: 1,
  totalReplicas: 1,
  seenServingEpoch: 0,
}

const status: MemberStatus = {
  sequence: 1,
  end: 100,
  flushed: 100,
  confirmed: 100,
  dispatched: 100,
  lastEpoch: 3,
  logId: hello.logId,
  writable: true,
  diskFull: false,
  details: noDetails,
}

class Desk {
  readonly clock = new SimulatedClock()
  readonly registry: Registry
  sequence = 0

  constructor(options: Partial<RegistryOptions> = {}) {
    this.registry = new Registry(options, { clock: this.clock, logger: silentLogger })
  }

  async open(fields: Partial<MemberHello> = {}) {
    const answers: RegistryAnswer[] = []
    const closed: BrokerError[] = []
    const session = this.registry.open(
      { ...hello, ...fields },
      (answer) => answers.push(answer),
      (why) => closed.push(why),
    )
    await this.clock.settle()
    const say = async (said: Partial<MemberStatus> = {}): Promise<void> => {
      session.send({ ...status, sequence: ++this.sequence, ...said })
      await this.clock.settle()
    }
    return { answers, closed, session, say }
  }
}

test('where sets are named, a broker of another one is refused, and the rest never hears of it', async () => {
  const desk = new Desk({ only: ['broker-a', 'broker-b'] })
  await desk.open({ set: 'broker-b' })
  const { closed } = await desk.open({ set: 'broker-c' })
  expect(closed.map(({ code, message }) => ({ code, message }))).toEqual([
    { code: 'PEER_REFUSED', message: 'this registry keeps broker-a, broker-b, not the broker set broker-c' },
  ])
  expect(desk.registry.view.sets.map(({ set }) => set)).toEqual(['broker-b'])
})

test('a second master of a set is refused, and told whose place it wants', async () => {
  const desk = new Desk()
  await desk.open()
  const second = await desk.open({ identity: 'intruder', grpcAddress: '10.0.0.9:8081' })
  expect(second.closed[0]).toMatchObject({ code: 'PEER_REFUSED' })
  expect(second.closed[0]?.message).toBe(
    'set broker-a follows master broker-a-master at 10.0.0.1:8081; intruder at 10.0.0.9:8081 cannot be a second one',
  )
})

test('a doubled identity is refused while the first lives, and replaces it when that is silent', async () => {
  const desk = new Desk()
  const first = await desk.open()
  expect((await desk.open({ instanceId: 'p2' })).closed[0]?.message).toMatch(/registered as broker-a-master/)
  expect(first.closed).toEqual([])

  await desk.clock.advance(1500)
  expect((await desk.open({ instanceId: 'p2' })).closed).toEqual([])
  expect(first.closed[0]).toMatchObject({ code: 'PEER_REFUSED' })
})

test('the same process may register again at any time', async () => {
  const desk = new Desk()
  const first = await desk.open()
  expect((await desk.open()).closed).toEqual([])
  expect(first.closed).toHaveLength(1)
})

test('another cluster, and words that cannot be true, are refused by name', async () => {
  const desk = new Desk()
  const refusal = async (fields: Partial<MemberHello>): Promise<string | undefined> =>
    (await desk.open(fields)).closed[0]?.message
  expect(await refusal({ cluster: 'other' })).toBe('this registry keeps cluster DefaultCluster, not other')
  expect(await refusal({ set: '../etc' })).toMatch(/^set '..\/etc' is not a name/)
  expect(await refusal({ grpcAddress: 'nowhere' })).toBe("gRPC address 'nowhere' is not host:port")
  expect(await refusal({ grpcAddress: 'a:70000' })).toMatch(/is not host:port/)
  expect(await refusal({ logId: 'xyz' })).toBe("log id 'xyz' is not 32 hex digits")
  expect(await refusal({ end: -1 })).toMatch(/end of the log is -1/)
  expect(await refusal({ seenServingEpoch: Number.MAX_SAFE_INTEGER })).toMatch(/out of range/)
  expect(desk.registry.view.sets).toEqual([])
})

test('a status that goes back in its count ends the session', async () => {
  const desk = new Desk()
  const member = await desk.open()
  await member.say({ sequence: 5 })
  await member.say({ sequence: 5 })
  expect(member.closed[0]?.message).toBe('status 5 came after status 5')
})

test('a master not heard for a second is not writable any more, and listeners are told', async () => {
  const desk = new Desk()
  const told: SetServing[] = []
  desk.registry.view.onChange((set) => told.push(set))
  const master = await desk.open()
  await master.say()
  expect(told.at(-1)?.writable).toEqual({
    identity: 'broker-a-master',
    grpcAddress: '10.0.0.1:8081',
    logEpoch: 3,
    diskFull: false,
  })
  expect(told.at(-1)?.serving).toMatchObject({ identity: 'broker-a-master', suspect: false })

  await desk.clock.advance(1000)
  expect(told.at(-1)?.writable).toBeUndefined()
  expect(told.at(-1)?.serving).toMatchObject({ identity: 'broker-a-master', suspect: true })

  const before = told.length
  await master.say({ end: 500 })
  expect(told).toHaveLength(before + 1)
  await master.say({ end: 600 })
  expect(told, 'a position alone is no news').toHaveLength(before + 1)
})

test('a master whose log epoch is not the highest known is not writable for gateways, and learns why', async () => {
  const desk = new Desk()
  const master = await desk.open()
  await desk.open({ identity: 'promoted-once', role: 'slave', lastEpoch: 9 })
  await master.say()
  expect(master.answers.at(-1)?.highestLogEpoch).toBe(9)
  expect(desk.registry.view.set('broker-a')?.writable).toBeUndefined()
})

test('that the disk of a master is full is news, and that it has room again', async () => {
  const desk = new Desk()
  const told: SetServing[] = []
  desk.registry.view.onChange((set) => told.push(set))
  const master = await desk.open()
  await master.say({ diskFull: true })
  expect(told.at(-1)?.writable).toMatchObject({ identity: 'broker-a-master', diskFull: true })
  await master.say({ diskFull: false })
  expect(told.at(-1)?.writable).toMatchObject({ identity: 'broker-a-master', diskFull: false })
})

test('a member that cannot serve is not chosen until it can', async () => {
  const desk = new Desk()
  const master = await desk.open()
  await master.say({ wants: 'nothing' })
  expect(master.answers.at(-1)?.token).toBeUndefined()
  await master.say()
  expect(master.answers.at(-1)?.token).toMatchObject({ yours: true, leaseMs: 2000 })
})

test('a holder that can serve no more loses the token to a member that can, and keeps it where there is none', async () => {
  const desk = new Desk()
  const [master, slave] = [await desk.open(), await desk.open({ identity: 'slave', role: 'slave' })]
  await slave.say()
  await master.say()
  const epoch = master.answers.at(-1)?.token?.epoch ?? 0
  expect(master.answers.at(-1)?.token).toMatchObject({ holder: 'broker-a-master', yours: true })
  for (let beat = 0; beat < 5; beat += 1) {
    await master.say({ renew: { epoch }, wants: 'nothing' })
    await slave.say()
    await desk.clock.advance(500)
  }
  expect(slave.answers.at(-1)?.token).toMatchObject({ holder: 'slave', yours: true })
  const next = slave.answers.at(-1)?.token?.epoch ?? 0
  // Given back by name to one that cannot have it: it is granted to whoever can.
  await slave.say({ release: { epoch: next, to: 'broker-a-master' } })
  expect(slave.answers.at(-1)?.token).toMatchObject({ holder: 'slave', yours: true })

  const alone = new Desk()
  const only = await alone.open()
  await only.say()
  const own = only.answers.at(-1)?.token?.epoch ?? 0
  for (let beat = 0; beat < 8; beat += 1) {
    await only.say({ renew: { epoch: own }, wants: 'nothing' })
    await alone.clock.advance(500)
  }
  expect(only.answers.at(-1)?.token).toMatchObject({ epoch: own, yours: true })
})

test('new epochs are above what any member has heard of, whatever the clock says', async () => {
  const desk = new Desk()
  const epoch = desk.clock.now() + 86_400_000
  const master = await desk.open({ seenServingEpoch: epoch })
  await master.say()
  expect(master.answers.at(-1)?.token?.epoch).toBe(epoch + 1)
})

test('a silent member is hung up on, and an idle registry has one timer', async () => {
  const desk = new Desk()
  const master = await desk.open()
  expect(desk.clock.pending).toBe(1)
  await desk.clock.advance(6000)
  // Not as when the registry itself stops.
  expect(master.closed[0]).toMatchObject({
    code: 'PROTOCOL_VIOLATION',
    message: 'broker-a-master said nothing for 5000 ms',
  })
  expect(desk.registry.report('broker-a')).toMatchObject([{ registered: false, alive: false, end: 100 }])
  desk.registry.close()
  expect(desk.clock.pending).toBe(0)
})
