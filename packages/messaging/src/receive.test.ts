import { describe, expect, test } from 'vitest'
import { Stand, bodies, refusal } from './stand.test-kit.ts'

async function opened(): Promise<Stand> {
  const stand = await Stand.open()
  stand.topic('orders')
  stand.topic('line', { queues: 1 })
  stand.group('billing')
  stand.group('strict', { orderly: true })
  return stand
}

describe('receive', () => {
  test('gives what was sent, from all queues, whatever queue the client asked for', async () => {
    const stand = await opened()
    await stand.sendAll('a', 'b', 'c', 'd', 'e')
    const messages = await stand.receive()
    expect(new Set(bodies(messages))).toEqual(new Set(['a', 'b', 'c', 'd', 'e']))
    expect(messages).toHaveLength(5)
    expect(new Set(messages.map((message) => message.record.queueId)).size).toBe(4)
    expect(messages.every((message) => message.attempt === 1)).toBe(true)
  })

  test('a new group starts at the beginning', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    await stand.receive()
    expect(bodies(await stand.receive({ group: 'auto-new' }))).toEqual(['a'])
  })

  test('does not give what is leased, and gives it again with a higher attempt when the lease has ended', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    await stand.receive({ invisibleMs: 10_000 })
    expect(await stand.receive()).toEqual([])
    await stand.clock.advance(9_990)
    expect(await stand.receive()).toEqual([])
    await stand.clock.advance(20)
    const [again] = await stand.receive()
    expect(again?.attempt).toBe(2)
  })

  test('begins with another queue each time, so no queue starves', async () => {
    const stand = await opened()
    await stand.sendAll(...Array.from({ length: 8 }, (_, index) => `${index}`))
    const queues: (number | undefined)[] = []
    for (let round = 0; round < 4; round += 1)
      queues.push((await stand.receive({ batchSize: 1 }))[0]?.record.queueId)
    expect(new Set(queues)).toEqual(new Set([0, 1, 2, 3]))
  })

  test('never gives more than 32, nor more bytes than one answer should carry', async () => {
    const stand = await opened()
    for (let index = 0; index < 40; index += 1) await stand.send({ topic: 'line' })
    expect(await stand.receive({ topic: 'line', batchSize: 100 })).toHaveLength(32)
    const big = { topic: 'line', body: Buffer.alloc(900_000) }
    for (let index = 0; index < 6; index += 1) await stand.send(big)
    expect(await stand.receive({ topic: 'line' })).toHaveLength(8 + 4)
    expect(await stand.receive({ topic: 'line' })).toHaveLength(2)
  })

  test('stops at the visible end, and goes on the moment it moves', async () => {
    const stand = await opened()
    await stand.send({ topic: 'line', body: Buffer.from('seen') })
    stand.visible.isHeld = true
    await stand.send({ topic: 'line', body: Buffer.from('hidden') })
    expect(bodies(await stand.receive({ topic: 'line' }))).toEqual(['seen'])
    const poll = stand.poll({ topic: 'line' })
    await stand.clock.advance(1000)
    const before = stand.clock.monotonic()
    stand.visible.moveTo(stand.store.end)
    expect(bodies((await stand.clock.outcome(poll)).messages)).toEqual(['hidden'])
    expect(stand.clock.monotonic()).toBe(before)
  })

  test('refuses unknown topics and groups, unreadable topics and groups that are switched off', async () => {
    const stand = await opened()
    stand.topic('write-only', { perm: 2 })
    stand.group('off', { consumeEnabled: false })
    expect(await refusal(stand.receive({ topic: 'nowhere' }))).toBe('TOPIC_NOT_FOUND')
    expect(await refusal(stand.receive({ topic: 'write-only' }))).toBe('NO_READABLE_BROKER')
    expect(await refusal(stand.receive({ group: 'nobody' }))).toBe('GROUP_NOT_FOUND')
    expect(await refusal(stand.receive({ group: 'off' }))).toBe('UNAVAILABLE')
  })
})

describe('filter', () => {
  test('takes only the tags asked for; what has another is settled for the group without being delivered', async () => {
    const stand = await opened()
    await stand.send({ topic: 'line', tag: 'red', body: Buffer.from('r') })
    await stand.send({ topic: 'line', tag: 'blue', body: Buffer.from('b') })
    await stand.send({ topic: 'line', body: Buffer.from('none') })
    const filter = { kind: 'tags', tags: new Set(['blue']) } as const
    expect(bodies(await stand.receive({ topic: 'line', filter }))).toEqual(['b'])
    expect(await stand.receive({ topic: 'line' })).toEqual([])
    const progress = stand.metadata.progress.queue('billing', 'line', 0)
    expect([0, 1, 2].map((offset) => progress.isAcked(offset))).toEqual([true, false, true])
  })

  test('tells colliding tags apart by their text', async () => {
    const stand = await opened()
    await stand.send({ topic: 'line', tag: 'Aa' })
    await stand.send({ topic: 'line', tag: 'BB', body: Buffer.from('BB') })
    const filter = { kind: 'tags', tags: new Set(['BB']) } as const
    expect(bodies(await stand.receive({ topic: 'line', filter }))).toEqual(['BB'])
  })

  test('says when everything was filtered, but only after the whole poll time', async () => {
    const stand = await opened()
    await stand.send({ topic: 'line', tag: 'red' })
    const filter = { kind: 'tags', tags: new Set(['blue']) } as const
    const began = stand.clock.monotonic()
    const answer = await stand.clock.outcome(stand.poll({ topic: 'line', filter, pollMs: 5000 }))
    expect(answer).toEqual({ messages: [], filteredOnly: true })
    expect(stand.clock.monotonic() - began).toBe(5000)
  })

  test('gets through a long run of unwanted messages, over several turns', async () => {
    const stand = await opened()
    const append = {
      topic: 'line',
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: { ip: '1.1.1.1', port: 1 },
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from('x'),
      properties: 'TAGS\u0001red\u0002',
    }
    for (let index = 0; index < 9000; index += 1) stand.store.append(append)
    await stand.send({ topic: 'line', tag: 'blue', body: Buffer.from('wanted') })
    await stand.clock.settle()
    const filter = { kind: 'tags', tags: new Set(['blue']) } as const
    const answer = await stand.clock.outcome(stand.poll({ topic: 'line', filter }))
    expect(bodies(answer.messages)).toEqual(['wanted'])
    expect(stand.metadata.progress.queue('billing', 'line', 0).floor).toBe(9000)
  })
})

describe('long polling', () => {
  test('holds for the whole time when nothing comes, and not longer', async () => {
    const stand = await opened()
    const began = stand.clock.monotonic()
    const answer = await stand.clock.outcome(stand.poll({ pollMs: 10_000 }))
    expect(answer).toEqual({ messages: [], filteredOnly: false })
    expect(stand.clock.monotonic() - began).toBe(10_000)
  })

  test('answers as soon as a message comes; one message answers one poll, the longest waiting', async () => {
    const stand = await opened()
    const first = stand.poll()
    const second = stand.poll()
    await stand.clock.advance(100)
    await stand.sendAll('a')
    const at = stand.clock.monotonic()
    expect(bodies((await stand.clock.outcome(first)).messages)).toEqual(['a'])
    expect(stand.clock.monotonic()).toBe(at)
    await stand.sendAll('b')
    expect(bodies((await stand.clock.outcome(second)).messages)).toEqual(['b'])
  })

  test('answers when a lease ends', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    await stand.receive({ invisibleMs: 10_000 })
    const leasedAt = stand.clock.monotonic()
    const answer = await stand.clock.outcome(stand.poll())
    expect(bodies(answer.messages)).toEqual(['a'])
    expect(stand.clock.monotonic() - leasedAt).toBe(10_000)
  })

  test('costs no timers but its own end and the next end of a lease', async () => {
    const stand = await opened()
    await stand.clock.advance(60_000)
    const idle = stand.clock.pending
    await stand.sendAll('a')
    await stand.receive({ invisibleMs: 15_000 })
    await stand.clock.advance(10_000)
    const polls = [stand.poll({ pollMs: 30_000 }), stand.poll({ pollMs: 30_000 })]
    await stand.clock.settle()
    expect(stand.clock.pending).toBe(idle + 2 + 1)
    await stand.clock.outcome(Promise.all(polls))
    await stand.clock.advance(60_000)
    expect(stand.clock.pending).toBe(idle)
  })

  test('is bounded: the 1025th of a group and topic is refused', async () => {
    const stand = await opened()
    const polls = Array.from({ length: 1024 }, () => stand.poll({ pollMs: 1000 }))
    await expect(stand.poll()).rejects.toMatchObject({ code: 'SYSTEM_BUSY', message: 'polling full' })
    await stand.clock.outcome(Promise.all(polls))
    const answer = await stand.clock.outcome(stand.poll({ pollMs: 10 }))
    expect(answer.messages).toEqual([])
  })

  test('a caller that leaves takes nothing with it', async () => {
    const stand = await opened()
    const leaving = new AbortController()
    const poll = stand.poll({}, { signal: leaving.signal })
    const failed = expect(poll).rejects.toThrow('gone')
    leaving.abort(new Error('gone'))
    await failed
    await stand.sendAll('a')
    expect(bodies(await stand.receive())).toEqual(['a'])
  })

  test('what was taken in the turn in which the caller left is visible again within a second', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    const leaving = new AbortController()
    const poll = stand.poll({ invisibleMs: 60_000 }, { signal: leaving.signal })
    leaving.abort(new Error('gone'))
    await expect(poll).rejects.toThrow('gone')
    expect(await stand.receive()).toEqual([])
    await stand.clock.advance(1000)
    expect((await stand.receive())[0]?.attempt).toBe(2)
  })
})

describe('serving', () => {
  test('without the token, or under another epoch, nobody is served, and the known epoch is named', async () => {
    const stand = await opened()
    await stand.sendAll('a')
    stand.servingEpoch = 7
    await expect(stand.receive({}, { servingEpoch: 6 })).rejects.toMatchObject({
      code: 'NOT_SERVING',
      facts: { servingEpoch: 7 },
    })
    const [message] = await stand.receive({}, { servingEpoch: 7 })
    stand.servingEpoch = 0
    expect(await refusal(stand.receive())).toBe('NOT_SERVING')
    if (!message) throw new Error('nothing received')
    expect(await refusal(stand.ack(message))).toBe('NOT_SERVING')
    expect(await refusal(stand.nack(message, 0))).toBe('NOT_SERVING')
  })

  test('the token is asked again in the tick in which a poll is answered', async () => {
    const stand = await opened()
    const poll = stand.poll()
    const refused = refusal(poll)
    await stand.clock.settle()
    stand.servingEpoch = 0
    await stand.sendAll('a')
    expect(await stand.clock.outcome(refused)).toBe('NOT_SERVING')
    expect(stand.metadata.progress.find('billing', 'orders', 0)?.inFlight ?? 0).toBe(0)
  })

  test('an empty answer too is for the holder of the token to give', async () => {
    const stand = await opened()
    const refused = refusal(stand.poll({ pollMs: 1000 }))
    await stand.clock.settle()
    stand.servingEpoch = 0
    expect(await stand.clock.outcome(refused)).toBe('NOT_SERVING')
  })

  test('a seal ends all polls and refuses new calls until it is lifted', async () => {
    const stand = await opened()
    const refused = refusal(stand.poll())
    await stand.clock.settle()
    stand.messaging.seal()
    expect(await refused).toBe('NOT_SERVING')
    expect(await refusal(stand.receive())).toBe('NOT_SERVING')
    stand.messaging.unseal()
    expect(await stand.receive()).toEqual([])
  })
})

describe('restart', () => {
  test('leases, attempts and acknowledgements outlive a kill', async () => {
    const stand = await opened()
    await stand.sendAll('a', 'b')
    const messages = await stand.receive({ invisibleMs: 10_000 })
    const acked = messages.find((message) => message.record.body.toString() === 'a')
    if (!acked) throw new Error('nothing received')
    await stand.ack(acked)
    stand.kill()
    await stand.boot()
    stand.servingEpoch = 2
    expect(await stand.receive()).toEqual([])
    await stand.clock.advance(10_000)
    const again = await stand.receive()
    expect(bodies(again)).toEqual(['b'])
    expect(again[0]?.attempt).toBe(2)
  })
})
