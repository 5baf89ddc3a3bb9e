import { BrokerError, silentMeter } from '@tandemmq/base'
import { MetadataStore, type LogClaim, type Snapshot } from '@tandemmq/metadata'
import { RecordingLogger, SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { describe, expect, test } from 'vitest'
import { HandBack, type Route } from './hand-back.ts'

interface Asked {
  readonly route: Route
  readonly kinds: readonly string[]
  readonly claim: LogClaim | undefined
  answer(): void
  refuse(words: string): void
}

/** A hand-back between a registration and a master that the test plays. `events` is what the slave does, in order. */
async function slave() {
  const clock = new SimulatedClock()
  const files = new SimulatedFiles({ clock, random: new SeededRandom(1) })
  const logger = new RecordingLogger()
  const ports = { files, clock, logger, meter: silentMeter, log: { knowsStamp: () => true } }
  const metadata = await MetadataStore.open({}, ports)
  const events: string[] = []
  const asked: Asked[] = []
  let isServing = true
  const registration = {
    mayServe: () => isServing,
    seal: () => void events.push('seal'),
    stay: () => void events.push('stay'),
    release: (to: string) => void events.push(`release to ${to}`),
  }
  const handBack = new HandBack(
    {
      registration,
      metadata,
      wayTo: (_master, route) => ({
        handBack: (snapshot: Snapshot, _signal, claim) =>
          new Promise<void>((resolve, reject) => {
            events.push(`sent ${route}`)
            asked.push({
              route,
              kinds: Object.keys(snapshot),
              claim,
              answer: () => resolve(),
              refuse: (words) => reject(new BrokerError('PEER_REFUSED', words)),
            })
          }),
      }),
      log: () => ({ end: 4711 }),
      seal: () => void events.push('no polls'),
      unseal: () => void events.push('polls'),
    },
    { clock, logger, meter: silentMeter },
  )
  const next = async (): Promise<Asked> => {
    await clock.runUntil(() => asked.length > 0)
    const first = asked.shift()
    if (first === undefined) throw new Error('nobody was asked')
    return first
  }
  const settle = (): Promise<void> => clock.advance(1)
  const loseToken = (): void => void (isServing = false)
  return { clock, logger, events, asked, handBack, next, settle, loseToken }
}

describe('rule 4.7: a slave hands back', () => {
  test('straight: sealed, sent, and released once it is answered', async () => {
    const { handBack, events, next, settle } = await slave()
    handBack.begin('m', 'straight')
    const all = await next()
    expect([all.kinds, all.claim]).toEqual([['topics', 'groups', 'progress', 'delay'], undefined])
    await settle()
    expect(events).toEqual(['seal', 'no polls', 'sent straight'])
    expect(handBack.isSealed).toBe(true)
    all.answer()
    await settle()
    expect(events.slice(3)).toEqual(['release to m', 'polls'])
    expect([handBack.isSealed, handBack.owes]).toEqual([false, false])
  })

  test('around: offered first, while it goes on serving', async () => {
    const { handBack, events, next, settle } = await slave()
    handBack.begin('m', 'around')
    const offer = await next()
    expect([offer.kinds, offer.claim]).toEqual([['progress', 'delay'], { end: 4711, givesServing: true }])
    await settle()
    expect([events, handBack.isSealed]).toEqual([['sent around'], false])
    offer.answer()
    const all = await next()
    expect([all.kinds.length, all.claim]).toEqual([4, { end: 4711, givesServing: true }])
    await settle()
    expect(events.slice(1)).toEqual(['seal', 'no polls', 'sent around'])
    all.answer()
    await settle()
    expect(events.slice(4)).toEqual(['release to m', 'polls'])
  })

  test.each<Route>(['straight', 'around'])('what is refused under the seal stays (%s)', async (route) => {
    const { handBack, events, next, settle } = await slave()
    handBack.begin('m', route)
    if (route === 'around') (await next()).answer()
    const all = await next()
    all.refuse('no')
    await settle()
    expect(events.slice(-3)).toEqual([`sent ${route}`, 'stay', 'polls'])
    expect([handBack.isSealed, handBack.owes]).toEqual([false, true])
  })

  test('a seal ends after 2 s', async () => {
    const { clock, handBack, events, next } = await slave()
    handBack.begin('m', 'straight')
    await next()
    await clock.advance(1_999)
    expect(events.at(-1)).toBe('sent straight')
    await clock.advance(1)
    expect(events.slice(-2)).toEqual(['stay', 'polls'])
  })

  test('a token that is lost while it is offered is not sealed', async () => {
    const { handBack, events, asked, next, settle, loseToken } = await slave()
    handBack.begin('m', 'around')
    const offer = await next()
    loseToken()
    offer.answer()
    await settle()
    expect([events, asked]).toEqual([['sent around'], []])
  })

  test('a refusal around is told once until something has arrived; straight goes on at once', async () => {
    const { clock, logger, handBack, asked, next, settle } = await slave()
    const refuse = async (route: Route): Promise<string | undefined> => {
      handBack.begin('m', route)
      const offer = await next()
      offer.refuse(`refused ${route}`)
      await settle()
      return logger.lines.at(-1)?.level
    }
    expect(await refuse('around')).toBe('warn')
    handBack.begin('m', 'around')
    expect(asked).toEqual([])
    await clock.advance(2_000)
    expect(await refuse('around')).toBe('debug')
    expect(await refuse('straight')).toBe('warn')
    await clock.advance(1_000)
    handBack.tell('m', 'straight')
    const told = await next()
    told.answer()
    await settle()
    expect(await refuse('around')).toBe('warn')
  })

  test('straight: after a failure it asks before it seals again; after 5 s it goes around, and straight again meanwhile', async () => {
    const { clock, handBack, events, next, settle } = await slave()
    const routes: Route[] = []
    for (let second = 0; second < 10; second += 1) {
      handBack.begin('m', 'straight')
      const offer = await next()
      routes.push(offer.route)
      offer.refuse('nobody answers')
      await settle()
      await clock.advance(999)
    }
    expect(routes.map((route) => route.slice(0, 1)).join('')).toBe('sssssasass')
    expect(events.filter((event) => event === 'seal')).toHaveLength(1)
    handBack.begin('m', 'straight')
    const offer = await next()
    offer.answer()
    const all = await next()
    all.answer()
    await settle()
    expect(events.slice(-5)).toEqual(['seal', 'no polls', 'sent straight', 'release to m', 'polls'])
  })

  test('what it had taken it tells without giving serving, until that has arrived', async () => {
    const { clock, handBack, asked, events, next, settle } = await slave()
    handBack.tell('m', 'around')
    const first = await next()
    expect([first.kinds, first.claim]).toEqual([['progress', 'delay'], { end: 4711, givesServing: false }])
    first.refuse('broke off')
    await settle()
    expect(handBack.owes).toBe(true)
    await clock.advance(2_000)
    handBack.tell('m', 'around')
    const second = await next()
    second.answer()
    await settle()
    expect(handBack.owes).toBe(false)
    handBack.tell('m', 'around')
    expect([asked, events]).toEqual([[], ['sent around', 'sent around']])
    handBack.served()
    expect(handBack.owes).toBe(true)
  })
})
