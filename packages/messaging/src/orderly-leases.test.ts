import { beforeEach, describe, expect, test } from 'vitest'
import { Stand, bodies, refusal } from './stand.test-kit.ts'

const strict = { group: 'strict', batchSize: 2 }

let master: Stand
let slave: Stand

/** A master with four messages in one queue, its slave that has them, and an orderly group. */
beforeEach(async () => {
  master = await Stand.open()
  master.topic('orders', { queues: 1 })
  master.group('billing')
  master.group('strict', { orderly: true })
  await master.sendAll('1', '2', '3', '4')
  slave = await master.slave()
  await slave.replicate()
  slave.synchronize()
  master.witnesses.arePresent = true
})

/** The slave takes what the master writes down, and says so. */
function watch(): void {
  master.witnesses.asked = (answer) => {
    slave.synchronize()
    answer(true)
  }
}

/** The slave never answers: after 200 ms it is hung up on. */
function hang(): void {
  master.witnesses.asked = (answer) => {
    master.clock.after(200, () => {
      master.witnesses.arePresent = false
      answer(false)
    })
  }
}

/** The master is gone; the slave holds the token under a newer epoch. */
function takeOver(): void {
  master.servingEpoch = 0
  slave.servingEpoch = 2
}

function leasesOf(stand: Stand): readonly (number | undefined)[] {
  const progress = stand.metadata.progress.queue('strict', 'orders', 0)
  return [0, 1, 2, 3].map((offset) => progress.lease(offset)?.attempts)
}

describe('rule 5.8: an orderly delivery', () => {
  test('leaves only when those who watch know of it; they keep the queue closed for as long as the lease runs', async () => {
    let answer: ((isKnown: boolean) => void) | undefined
    master.witnesses.asked = (resolve) => {
      answer = resolve
    }
    let isAnswered = false
    const receive = master.poll(strict).finally(() => (isAnswered = true))
    await master.clock.advance(150)
    expect(isAnswered).toBe(false)
    slave.synchronize()
    answer?.(true)
    const { messages } = await master.clock.outcome(receive)
    expect(messages.map((message) => [message.record.body.toString(), message.attempt])).toEqual([
      ['1', 1],
      ['2', 1],
    ])
    // Of what came after the acknowledgement the slave never hears.
    takeOver()
    const poll = slave.poll(strict)
    await slave.clock.advance(9_990)
    expect(await slave.receive(strict)).toEqual([])
    expect(bodies((await slave.clock.outcome(poll)).messages)).toEqual(['1', '2'])
    expect(slave.clock.monotonic() - master.clock.monotonic()).toBe(0)
  })

  test('opens the queue of the new holder when the old one acknowledges there', async () => {
    watch()
    const [first, second] = await master.receive(strict)
    if (!first || !second) throw new Error('nothing was received')
    takeOver()
    const poll = slave.poll(strict)
    expect(await slave.ack(first, {}, 'strict')).toBe('OK')
    expect(await slave.receive(strict)).toEqual([])
    expect(await slave.ack(second, {}, 'strict')).toBe('OK')
    expect(bodies((await slave.clock.outcome(poll)).messages)).toEqual(['3', '4'])
  })

  test('may come again at once after a switch when none watched', async () => {
    master.witnesses.arePresent = false
    expect(bodies(await master.receive(strict))).toEqual(['1', '2'])
    expect(master.witnesses.questions).toBe(0)
    takeOver()
    expect(bodies(await slave.receive(strict))).toEqual(['1', '2'])
  })

  test('is not made when they do not answer: nothing is counted, nothing stays leased, and the receive goes on', async () => {
    hang()
    const before = master.clock.monotonic()
    const messages = await master.receive(strict)
    expect(messages.map(({ attempt }) => attempt)).toEqual([1, 1])
    expect(master.clock.monotonic() - before).toBe(200)
    // The one that was not made and the one that was: the slave hears of both, and knows of one attempt.
    slave.synchronize()
    expect(leasesOf(slave)).toEqual([1, 1, undefined, undefined])
    expect(leasesOf(master)).toEqual([1, 1, undefined, undefined])
  })

  test('is announced anew to those who still watch when one of them was late', async () => {
    const answers: ((isKnown: boolean) => void)[] = []
    master.witnesses.asked = (resolve) => answers.push(resolve)
    let isAnswered = false
    const receive = master.poll(strict).finally(() => (isAnswered = true))
    await master.clock.settle()
    answers[0]?.(false)
    await master.clock.settle()
    expect([answers.length, isAnswered]).toEqual([2, false])
    answers[1]?.(true)
    const { messages } = await master.clock.outcome(receive)
    expect(messages.map(({ attempt }) => attempt)).toEqual([1, 1])
  })

  test('is one wait for a whole batch of all queues', async () => {
    master.topic('lines', { queues: 4 })
    for (let index = 0; index < 8; index += 1) await master.send({ topic: 'lines' })
    watch()
    expect(await master.receive({ ...strict, topic: 'lines', batchSize: 32 })).toHaveLength(8)
    expect(master.witnesses.questions).toBe(1)
  })

  test('holds up nobody else: neither a group without order, nor another queue', async () => {
    master.topic('lines', { queues: 2 })
    await master.send({ topic: 'lines', body: Buffer.from('a') })
    hang()
    const waiting = master.poll({ ...strict, topic: 'lines' })
    const before = master.clock.monotonic()
    expect(bodies(await master.receive())).toEqual(['1', '2', '3', '4'])
    expect(master.clock.monotonic()).toBe(before)
    master.witnesses.asked = (answer) => answer(true)
    await master.send({ topic: 'lines', body: Buffer.from('b') })
    expect(bodies(await master.receive({ ...strict, topic: 'lines' }))).toEqual(['b'])
    expect(master.clock.monotonic()).toBe(before)
    expect(bodies((await master.clock.outcome(waiting)).messages)).toEqual(['a'])
  })

  test('is for one receive only while it waits; whoever asks meanwhile waits for the next batch', async () => {
    let answer: ((isKnown: boolean) => void) | undefined
    master.witnesses.asked = (resolve) => {
      answer = resolve
    }
    const first = master.poll({ ...strict, attemptId: 'one' })
    await master.clock.settle()
    expect(await master.receive(strict)).toEqual([])
    expect(await master.receive({ ...strict, attemptId: 'one' })).toEqual([])
    const second = master.poll(strict)
    await master.clock.settle()
    answer?.(true)
    const { messages } = await master.clock.outcome(first)
    expect(bodies(messages)).toEqual(['1', '2'])
    watch()
    for (const message of messages) await master.ack(message, {}, 'strict')
    expect(bodies((await master.clock.outcome(second)).messages)).toEqual(['3', '4'])
  })

  test('is withdrawn when serving ends before they have answered: nobody waits for a lease that nobody has', async () => {
    const receive = master.poll(strict)
    await master.clock.settle()
    slave.synchronize()
    expect(leasesOf(slave)).toEqual([0, 0, undefined, undefined])
    master.messaging.seal()
    slave.metadata.merge(master.metadata.snapshot())
    takeOver()
    expect(bodies(await slave.receive(strict))).toEqual(['1', '2'])
    master.witnesses.asked = (answer) => answer(true)
    expect(leasesOf(master)).toEqual([0, 0, undefined, undefined])
    void receive.catch(() => undefined)
  })

  test('is refused when the token is gone once they have answered', async () => {
    let answer: ((isKnown: boolean) => void) | undefined
    master.witnesses.asked = (resolve) => {
      answer = resolve
    }
    const receive = master.poll(strict)
    await master.clock.settle()
    master.servingEpoch = 0
    answer?.(true)
    expect(await refusal(master.clock.outcome(receive))).toBe('NOT_SERVING')
    expect(leasesOf(master)).toEqual([0, 0, undefined, undefined])
  })

  test('is not made when its caller has left, nor when a message was acknowledged meanwhile', async () => {
    watch()
    const [old] = await master.receive({ ...strict, batchSize: 1, invisibleMs: 100, autoRenew: false })
    if (!old) throw new Error('nothing was received')
    let answer: ((isKnown: boolean) => void) | undefined
    master.witnesses.asked = (resolve) => {
      answer = resolve
    }
    const leaving = new AbortController()
    const left = master.poll(strict, { signal: leaving.signal })
    await master.clock.advance(110)
    leaving.abort(new Error('gone'))
    answer?.(true)
    await expect(master.clock.outcome(left)).rejects.toThrow('gone')
    expect(leasesOf(master)).toEqual([1, 0, undefined, undefined])

    const receive = master.poll({ ...strict, batchSize: 1 })
    await master.clock.settle()
    const stamp = { logEpoch: master.store.epochAt(0), physicalOffset: 0 }
    const key = { group: 'strict', topic: 'orders', queueId: 0 }
    master.metadata.commit({ kind: 'ack', ...key, records: [{ queueOffset: 0, stamp }] })
    watch()
    answer?.(true)
    expect(bodies((await master.clock.outcome(receive)).messages)).toEqual(['2'])
  })

  test('waits again when the same attempt has its batch again; not made, the batch stays as it was', async () => {
    watch()
    await master.receive({ ...strict, attemptId: 'one' })
    await master.clock.advance(4_000)
    hang()
    const leaving = new AbortController()
    const again = master.poll({ ...strict, attemptId: 'one' }, { signal: leaving.signal })
    await master.clock.advance(100)
    leaving.abort(new Error('gone'))
    await expect(master.clock.outcome(again)).rejects.toThrow('gone')
    // 10 s from the first delivery, not from the one that was not made.
    await master.clock.advance(5_790)
    expect(await master.receive(strict)).toEqual([])
    await master.clock.advance(10)
    expect((await master.receive(strict)).map(({ attempt }) => attempt)).toEqual([2, 2])
  })

  test('prolonged by its holder: that is answered when those who watch know of it', async () => {
    watch()
    const [only] = await master.receive({ ...strict, batchSize: 1, invisibleMs: 1_000 })
    if (!only) throw new Error('nothing was received')
    const asked = master.witnesses.questions
    await master.nack(only, 500)
    expect(master.witnesses.questions, 'a shorter one waits for nobody').toBe(asked)
    slave.synchronize()
    await master.clock.advance(600)
    const [again] = await master.receive({ ...strict, batchSize: 1, invisibleMs: 1_000 })
    if (!again) throw new Error('nothing was received')
    await master.nack(again, 60_000)
    takeOver()
    await slave.clock.advance(59_000)
    expect(await slave.receive(strict)).toEqual([])
    await slave.clock.advance(1_010)
    expect(bodies(await slave.receive(strict))).toEqual(['1', '2'])
  })

  test('is seen by a broker that served before: what it remembers of the queue does not open it', async () => {
    watch()
    for (const message of await master.receive(strict)) await master.ack(message, {}, 'strict')
    slave.synchronize()
    takeOver()
    expect(bodies(await slave.receive(strict))).toEqual(['3', '4'])
    slave.messaging.seal()
    master.metadata.merge(slave.metadata.snapshot())
    slave.servingEpoch = 0
    master.servingEpoch = 3
    expect(await master.receive(strict)).toEqual([])
    await master.clock.advance(10_000)
    expect(bodies(await master.receive(strict))).toEqual(['3', '4'])
  })
})
