import { describe, expect, test } from 'vitest'
import { silentLogger, silentMeter } from '@tandemmq/base'
import { DueTimers } from './due-timers.ts'
import { DueWindow } from './due-window.ts'
import { MessageMetrics } from './message-metrics.ts'
import { Stand, bodies } from './stand.test-kit.ts'
import { TimerService } from './timer-service.ts'
import { dueTimeOf, scheduledMark, scheduledMarkOf, timerOut } from './timer-record.ts'

async function opened(seed?: number): Promise<Stand> {
  const stand = await Stand.open(seed)
  stand.topic('orders', { queues: 1 })
  stand.group('billing')
  stand.messaging.startTimers()
  await stand.clock.settle()
  return stand
}

function later(stand: Stand, ms: number, body = `in ${ms}`) {
  return stand.send({ type: 'DELAY', deliveryTimestamp: stand.clock.now() + ms, body: Buffer.from(body) })
}

interface Lying {
  readonly body: string
  readonly isMarked: boolean
}

/** What lies in the real topic. */
function lying(stand: Stand): Lying[] {
  const queue = stand.store.queue('orders', 0)
  const found: Lying[] = []
  for (let offset = 0; offset < (queue?.maxOffset ?? 0); offset += 1) {
    const unit = queue?.unit(offset)
    if (unit === undefined) continue
    const { body, properties } = stand.store.record(unit.offset, unit.size)
    found.push({ body: body.toString(), isMarked: scheduledMarkOf(properties) !== undefined })
  }
  return found
}

function delivered(stand: Stand): string[] {
  return lying(stand).map(({ body }) => body)
}

describe('a scheduled message', () => {
  test("lies in Apache's timer topic until it is due, and is delivered at that millisecond, with all its properties", async () => {
    const stand = await opened()
    const dueAt = stand.clock.now() + 2500
    const receipt = await stand.send({
      type: 'DELAY',
      deliveryTimestamp: dueAt,
      tag: 'T',
      keys: ['k'],
      userProperties: new Map([['step', '1']]),
    })
    const waiting = stand.store.record(receipt.offset)
    expect([waiting.topic, waiting.queueId]).toEqual(['rmq_sys_wheel_timer', 0])
    const poll = stand.poll()
    await stand.clock.settle()
    const [message] = (await stand.clock.outcome(poll)).messages
    expect(stand.clock.now()).toBe(dueAt)
    expect(Object.fromEntries(message?.properties ?? [])).toMatchObject({
      TAGS: 'T',
      KEYS: 'k',
      step: '1',
      TIMER_DELIVER_MS: `${dueAt}`,
      TIMER_OUT_MS: `${timerOut(dueAt)}`,
      REAL_TOPIC: 'orders',
      REAL_QID: '0',
    })
    expect(message?.properties.has('__TMQ_SCHEDULED')).toBe(false)
    expect(message?.record.topic).toBe('orders')
  })

  test('is a normal message when its time is past', async () => {
    const stand = await opened()
    const receipt = await later(stand, 0, 'now')
    expect(stand.store.record(receipt.offset).topic).toBe('orders')
    await later(stand, -5000, 'past')
    expect(bodies(await stand.receive())).toEqual(['now', 'past'])
  })

  test('comes in the order of due times, not of sending; progress keeps up', async () => {
    const stand = await opened()
    for (const ms of [5000, 1000, 3000]) await later(stand, ms)
    await stand.clock.advance(1000)
    expect(delivered(stand)).toEqual(['in 1000'])
    expect([0, 1, 2].map((offset) => stand.metadata.delay.isDone(offset))).toEqual([false, true, false])
    expect(stand.metadata.delay.floor).toBe(0)
    await stand.clock.advance(4000)
    expect(delivered(stand)).toEqual(['in 1000', 'in 3000', 'in 5000'])
    expect(stand.metadata.delay.floor).toBe(3)
  })

  test('waits for the wall clock, wherever that jumps', async () => {
    const stand = await opened()
    await later(stand, 100_000)
    stand.machine.skew(-50_000)
    await stand.clock.advance(110_000)
    expect(delivered(stand)).toEqual([])
    stand.machine.skew(50_000)
    await stand.clock.advance(60_000)
    expect(delivered(stand)).toEqual(['in 100000'])
  })

  test('costs one timer however many there are, and none when there are none', async () => {
    const stand = await opened()
    await stand.clock.advance(60_000)
    const idle = stand.clock.pending
    for (let index = 1; index <= 20; index += 1) await later(stand, 10_000 + index)
    await stand.clock.advance(9000)
    expect(stand.clock.pending).toBeLessThanOrEqual(idle + 1)
    await stand.clock.advance(60_000)
    expect(stand.clock.pending).toBe(idle)
  })

  test('comes in time however little memory there is: the rest waits on disk', async () => {
    const stand = new Stand()
    stand.timersInMemory = 5
    await stand.boot()
    stand.topic('orders', { queues: 1 })
    stand.messaging.startTimers()
    await stand.clock.settle()
    const dues = Array.from({ length: 60 }, (_, index) => 1000 + ((index * 37) % 60) * 10)
    const began = stand.clock.now()
    for (const ms of dues)
      await stand.send({ type: 'DELAY', deliveryTimestamp: began + ms, body: Buffer.from(`${ms}`) })
    await stand.clock.advance(1305 - (stand.clock.now() - began))
    expect(delivered(stand)).toEqual(Array.from({ length: 31 }, (_, index) => `${1000 + index * 10}`))
    await stand.clock.advance(1000)
    expect(delivered(stand)).toEqual(Array.from({ length: 60 }, (_, index) => `${1000 + index * 10}`))
  })

  test('whose topic is gone is dropped, and holds nothing up', async () => {
    const stand = await opened()
    await later(stand, 1000)
    stand.metadata.commit({ kind: 'topic-delete', name: 'orders' })
    await stand.clock.advance(2000)
    expect(stand.metadata.delay.floor).toBe(1)
    expect(stand.logger.messages('warn')).toContain(
      'a scheduled message has no topic any more and is dropped',
    )
  })

  test('is tried again when the disk is full', async () => {
    const stand = await opened()
    await later(stand, 1000)
    stand.writingAllowed = false
    await stand.clock.advance(5000)
    expect(delivered(stand)).toEqual([])
    stand.writingAllowed = true
    await stand.clock.advance(1000)
    expect(delivered(stand)).toEqual(['in 1000'])
  })
})

describe('once', () => {
  test('rule 5.5: what was put counts as delivered only when it is visible', async () => {
    const stand = await opened()
    await later(stand, 1000)
    stand.visible.isHeld = true
    await stand.clock.advance(5000)
    expect(stand.store.queue('orders', 0)?.maxOffset).toBe(1)
    expect(stand.metadata.delay.isDone(0)).toBe(false)
    stand.visible.moveTo(stand.store.end)
    expect(stand.metadata.delay.isDone(0)).toBe(true)
  })

  test('also where the broker stops being master and becomes it again', async () => {
    const stand = await opened()
    await later(stand, 1000)
    stand.visible.isHeld = true
    await stand.clock.advance(2000)
    stand.messaging.stopTimers()
    stand.messaging.startTimers()
    await stand.clock.advance(5000)
    expect(delivered(stand)).toEqual(['in 1000'])
  })

  test('nothing is put before the tail of the log has been dispatched', async () => {
    const stand = await opened()
    stand.messaging.stopTimers()
    await later(stand, 1000)
    await stand.clock.advance(2000)
    const { store, metadata, clock } = stand
    const tail = Promise.withResolvers<void>()
    const service = new TimerService({
      log: {
        minOffset: store.minOffset,
        end: store.end,
        dispatched: { at: 0, reached: () => tail.promise },
        append: (message) => store.append(message),
        appendAll: (messages) => store.appendAll(messages),
        record: (offset, size) => store.record(offset, size),
        isInMemory: (place) => store.isInMemory(place),
        warm: (places) => store.warm(places),
        epochAt: (offset) => store.epochAt(offset),
        queue: (topic, queueId) => store.queue(topic, queueId),
        onDispatched: (listener) => store.onDispatched(listener),
      },
      book: metadata,
      catalog: {
        topic: (name) => metadata.topics.get(name),
        group: () => undefined,
        createTopic: () => undefined,
        createGroup: () => undefined,
        deadLetterTopic: () => undefined,
      },
      writing: { allowed: true },
      metrics: new MessageMetrics(silentMeter),
      clock,
      logger: silentLogger,
      found: () => undefined,
      dueTimers: new DueTimers(),
      offered: () => undefined,
    })
    service.start('put')
    await clock.advance(5000)
    expect(delivered(stand)).toEqual([])
    tail.resolve()
    await clock.advance(1)
    expect(delivered(stand)).toEqual(['in 1000'])
    service.stop()
  })

  test('nothing is put while timers are stopped', async () => {
    const stand = await opened()
    await later(stand, 1000)
    stand.messaging.stopTimers()
    await stand.clock.advance(5000)
    expect(delivered(stand)).toEqual([])
    stand.messaging.startTimers()
    await stand.clock.advance(1)
    expect(delivered(stand)).toEqual(['in 1000'])
  })

  for (const how of ['kill', 'cutPower'] as const) {
    test(`over a ${how} at any moment`, async () => {
      for (let seed = 1; seed <= 25; seed += 1) {
        const stand = await opened(seed)
        for (let index = 0; index < 10; index += 1) await later(stand, 1000 + index * 7, `${index}`)
        await stand.clock.outcome(Promise.all([stand.store.flush(), stand.metadata.synced()]))
        await stand.clock.advance(990 + ((seed * 13) % 110))
        if (seed % 3 === 0) await stand.clock.outcome(stand.store.flush())
        stand[how]()
        await stand.clock.advance(50)
        await stand.boot()
        stand.messaging.startTimers()
        await stand.clock.advance(3000)
        // A power cut may take the end of a record's properties, where the mark is; Apache's checksum covers the body alone.
        const found = lying(stand)
        const expected = Array.from({ length: 10 }, (_, index) => `${index}`)
        expect([...new Set(found.map(({ body }) => body))].toSorted(byText), `seed ${seed}`).toEqual(expected)
        const whole = how === 'kill' ? found : found.filter(({ isMarked }) => isMarked)
        expect(new Set(whole.map(({ body }) => body)).size, `seed ${seed}`).toBe(whole.length)
        expect(stand.metadata.delay.floor, `seed ${seed}`).toBe(10)
      }
    })
  }
})

function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}

describe('the parts', () => {
  test('a due time is never before what the sender asked for, and Apache rounds down', () => {
    expect(timerOut(5000)).toBe(4000)
    expect(timerOut(5001)).toBe(5000)
    expect(timerOut(5999)).toBe(5000)
    expect(dueTimeOf('TIMER_DELIVER_MS\u00015999\u0002TIMER_OUT_MS\u00015000\u0002')).toBe(5999)
    expect(dueTimeOf('TIMER_DELAY_MS\u00013000\u0002TIMER_OUT_MS\u00015000\u0002')).toBe(5000)
  })

  test('a mark survives its text, and rubbish is no mark', () => {
    const mark = { queueOffset: 3, physicalOffset: 2 ** 50 }
    expect(scheduledMarkOf(`a\u0001b\u0002${scheduledMark(mark)}`)).toEqual(mark)
    for (const text of ['', '1', '1@', 'x@1', '1@2@3']) {
      expect(scheduledMarkOf(`__TMQ_SCHEDULED\u0001${text}\u0002`)).toBeUndefined()
    }
    expect(scheduledMarkOf('user\u0001__TMQ_SCHEDULED\u0002')).toBeUndefined()
  })

  test('the window keeps the earliest and knows from where on it knows nothing', () => {
    const window = new DueWindow(10)
    for (let index = 0; index < 100; index += 1) {
      window.add({ due: (index * 37) % 100, queueOffset: index, offset: 0, size: 1 })
    }
    expect(window.size).toBeLessThanOrEqual(20)
    const dues: number[] = []
    for (let entry = window.take(); entry !== undefined; entry = window.take()) dues.push(entry.due)
    expect(dues).toEqual(Array.from({ length: dues.length }, (_, index) => index))
    expect(window.horizon).toBe(dues.length)
  })
})
