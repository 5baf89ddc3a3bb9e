import { rocketmq } from '@tandemmq/rpc'
import { SimulatedClock } from '@tandemmq/testkit'
import { describe, expect, test } from 'vitest'
import { ClientRegistry, type ClientStream } from './client-registry.ts'
import { settingsCommand } from './telemetry.ts'

const settings = rocketmq.Settings.create({ clientType: rocketmq.ClientType.PUSH_CONSUMER })

function registry() {
  const clock = new SimulatedClock()
  const events: string[] = []
  const presence = {
    seen: (clientId: string, group: string) => void events.push(`seen ${clientId} ${group}`),
    gone: (clientId: string, group: string) => void events.push(`gone ${clientId} ${group}`),
  }
  return { clock, events, clients: new ClientRegistry(clock, presence, settingsCommand) }
}

function stream(): ClientStream & { readonly sent: rocketmq.TelemetryCommand[] } {
  const sent: rocketmq.TelemetryCommand[] = []
  return { sent, send: (command) => void sent.push(command), end: () => {} }
}

describe('settings', () => {
  test('are said at once and once more 150 ms later', async () => {
    const { clock, clients } = registry()
    const one = stream()
    clients.agreed('c', one, settings)
    expect(one.sent).toHaveLength(1)
    await clock.advance(149)
    expect(one.sent).toHaveLength(1)
    await clock.advance(1)
    expect(one.sent).toHaveLength(2)
    await clock.advance(100_000)
    expect(one.sent).toHaveLength(2)
  })

  test('are repeated after the last of several routes, and after every later one', async () => {
    const { clock, clients } = registry()
    const one = stream()
    clients.agreed('c', one, settings)
    for (let route = 0; route < 5; route += 1) {
      await clock.advance(100)
      clients.routed('c')
    }
    expect(one.sent).toHaveLength(1)
    await clock.advance(150)
    expect(one.sent).toHaveLength(2)
    clients.routed('c')
    await clock.advance(150)
    expect(one.sent).toHaveLength(3)
    expect(one.sent[2]).toEqual(settingsCommand(settings))
  })

  test('that are agreed again on the same stream are answered once', async () => {
    const { clock, clients } = registry()
    const one = stream()
    clients.agreed('c', one, settings)
    await clock.advance(1_000)
    clients.agreed('c', one, settings)
    await clock.advance(1_000)
    expect(one.sent).toHaveLength(3)
  })

  test('survive the loss of the stream, but nobody is told on a stream that is gone', async () => {
    const { clock, clients } = registry()
    const one = stream()
    clients.agreed('c', one, settings)
    clients.left('c', one)
    clients.routed('c')
    await clock.advance(1_000)
    expect(one.sent).toHaveLength(1)
    expect(clients.settingsOf('c')).toBe(settings)
  })

  test('an old stream that ends late does not take the new one with it', async () => {
    const { clock, clients } = registry()
    const [one, two] = [stream(), stream()]
    clients.agreed('c', one, settings)
    clients.agreed('c', two, settings)
    clients.left('c', one)
    clients.routed('c')
    await clock.advance(150)
    expect(two.sent).toHaveLength(2)
  })

  test('nobody asks for a client that has no stream', async () => {
    const { clock, clients } = registry()
    clients.routed('unknown')
    await clock.advance(1_000)
    expect(clients.size).toBe(0)
  })
})

describe('presence', () => {
  test('a push consumer not heard of for 120 s is forgotten, and no broker is told that it is gone: another gateway may hear of it', async () => {
    const { clock, clients, events } = registry()
    clients.agreed('c', stream(), settings, 'g')
    await clock.advance(100_000)
    clients.heard('c', 'g')
    await clock.advance(119_999)
    expect(clients.size).toBe(1)
    await clock.advance(1)
    expect(clients.size).toBe(0)
    expect(events).toEqual(['seen c g', 'seen c g'])
    expect(clock.pending).toBe(0)
  })

  test('termination says so at once, once; nothing is repeated to it', async () => {
    const { clock, clients, events } = registry()
    const one = stream()
    clients.agreed('c', one, settings, 'g')
    clients.terminated('c')
    expect(events).toEqual(['seen c g', 'gone c g'])
    await clock.advance(300_000)
    expect(events).toHaveLength(2)
    expect(one.sent).toHaveLength(1)
  })

  test('a producer comes and goes without a word to the brokers', async () => {
    const { clock, clients, events } = registry()
    clients.heard('p')
    await clock.advance(300_000)
    expect([events, clients.size]).toEqual([[], 0])
  })

  test('each of many expires at its own time', async () => {
    const { clock, clients } = registry()
    for (let index = 0; index < 5; index += 1) {
      clients.heard(`c${index}`, 'g')
      await clock.advance(10_000)
    }
    clients.heard('c0', 'g')
    await clock.advance(90_000)
    expect(clients.size).toBe(3)
  })
})
