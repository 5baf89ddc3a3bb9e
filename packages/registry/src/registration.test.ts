import { BrokerError, silentLogger } from '@tandemmq/base'
import { RecordingLogger, SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { noDetails, type MemberHello, type MemberStatus } from './member.ts'
import { Registration, type RegistrationSource } from './registration.ts'
import type { RegistryLink } from './registry-link.ts'

const source: RegistrationSource = {
  hello: () => ({
    cluster: 'c',
    set: 'broker-a',
    identity: 'broker-a-1',
    instanceId: 'i',
    role: 'slave',
    grpcAddress: '127.0.0.1:1',
    haAddress: '',
    logId: '',
    lastEpoch: 0,
    end: 0,
    totalReplicas: 2,
    inSyncReplicas: 2,
  }),
  status: () => ({
    end: 0,
    flushed: 0,
    confirmed: 0,
    dispatched: 0,
    lastEpoch: 0,
    logId: '',
    writable: false,
    diskFull: false,
    details: noDetails,
  }),
}

/** A registry that cannot be reached until it is told to be up. */
class ReluctantLink implements RegistryLink {
  isUp = false
  readonly hellos: MemberHello[] = []
  readonly statuses: MemberStatus[] = []
  readonly #clock: SimulatedClock

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  open(...[hello, , onClosed]: Parameters<RegistryLink['open']>): ReturnType<RegistryLink['open']> {
    if (!this.isUp) this.#clock.after(1, () => onClosed(new BrokerError('UNAVAILABLE', 'refused')))
    else this.hellos.push(hello)
    return { send: (status) => this.statuses.push(status), close: () => undefined }
  }
}

test('a change while the registry is away does not stop the attempts to reach it', async () => {
  const clock = new SimulatedClock()
  const link = new ReluctantLink(clock)
  const registration = Registration.start(
    {},
    { clock, random: new SeededRandom(1), logger: silentLogger },
    link,
    source,
  )
  for (let moment = 0; moment < 20; moment++) {
    await clock.advance(30)
    registration.changed()
  }
  link.isUp = true
  await clock.advance(1_500)
  expect(link.hellos).toHaveLength(1)
  registration.close()
})

test('of a registry that falls silent it is told for how long it had known this broker', async () => {
  const clock = new SimulatedClock()
  const logger = new RecordingLogger()
  let answer: (() => void) | undefined
  const link: RegistryLink = {
    open: (_hello, onAnswer) => {
      answer = () => onAnswer({ sequence: 1, members: [], highestLogEpoch: 0 })
      return { send: () => undefined, close: () => undefined }
    },
  }
  const registration = Registration.start({}, { clock, random: new SeededRandom(1), logger }, link, source)
  await clock.advance(4_000)
  answer?.()
  await clock.advance(10_000)
  expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([
    expect.objectContaining({ facts: { why: expect.any(String), lastedMs: 9_500 } }),
  ])
  registration.close()
})
