import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delivery, ProgressState } from './change.ts'
import { QueueProgress } from './queue-progress.ts'
import { delivery, key, stamp } from './world.test-data.ts'

const END = 24
const zero = { servingEpoch: 0, counter: 0 }

interface ModelEntry {
  attempts: number
  until: number
  servingEpoch: number
  attempt: number
}

/** The same rules, written down without any thought of speed. */
class Model {
  readonly acked = new Set<number>()
  readonly entries = new Map<number, ModelEntry>()

  ack(from: number, to: number): void {
    for (let offset = from; offset < to; offset++) {
      this.acked.add(offset)
      this.entries.delete(offset)
    }
  }

  deliver(one: Delivery, servingEpoch: number, now: number): void {
    const before = this.entries.get(one.queueOffset)
    if (this.acked.has(one.queueOffset)) return
    const isOlder =
      before &&
      (servingEpoch < before.servingEpoch ||
        (servingEpoch === before.servingEpoch && one.attempt < before.attempt))
    if (isOlder) return
    this.entries.set(one.queueOffset, {
      attempt: one.attempt,
      attempts: Math.max(one.attempt, before?.attempts ?? 0),
      servingEpoch,
      until: now + one.invisibleMs,
    })
  }

  candidate(from: number, end: number, now: number): number | undefined {
    for (let offset = from; offset < end; offset++) {
      const entry = this.entries.get(offset)
      if (!this.acked.has(offset) && (entry === undefined || entry.until <= now)) return offset
    }
    return undefined
  }

  nextVisibleAt(now: number): number | undefined {
    const later = [...this.entries.values()].map((entry) => entry.until).filter((until) => until > now)
    return later.length === 0 ? undefined : Math.min(...later)
  }
}

const step = fc.oneof(
  fc.record({
    what: fc.constant('ack' as const),
    at: fc.nat(END - 1),
    length: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({
    what: fc.constant('deliver' as const),
    at: fc.nat(END - 1),
    attempt: fc.integer({ min: 1, max: 3 }),
    epoch: fc.integer({ min: 1, max: 2 }),
    invisibleMs: fc.nat(30),
  }),
  fc.record({ what: fc.constant('wait' as const), ms: fc.nat(20) }),
  fc.record({ what: fc.constant('look' as const), from: fc.nat(END) }),
)

test('progress behaves as a naive model does, whatever is acknowledged, delivered and expires in whatever order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const queue = new QueueProgress(key)
      const model = new Model()
      let now = 0
      for (const [index, one] of steps.entries()) {
        if (one.what === 'wait') now += one.ms
        else if (one.what === 'look') queue.candidate(one.from, END, now)
        else if (one.what === 'ack') {
          const last = Math.min(END, one.at + one.length) - 1
          queue.ack({ queueOffset: last, from: one.at, stamp: stamp(last) }, zero)
          model.ack(one.at, last + 1)
        } else {
          // Each step is at another wall clock, so no two changes are the same one.
          const made = delivery(one.at, one.attempt, 1_000 + index, one.invisibleMs)
          queue.deliver(made, one.epoch, zero, now)
          model.deliver(made, one.epoch, now)
        }
        for (let from = 0; from <= END; from++) {
          expect(queue.candidate(from, END, now)).toBe(model.candidate(from, END, now))
        }
        expect(queue.nextVisibleAt(now)).toBe(model.nextVisibleAt(now))
        expect(queue.inFlight).toBe(model.entries.size)
        for (let offset = 0; offset < END; offset++) {
          expect(queue.isAcked(offset)).toBe(model.acked.has(offset))
          expect(queue.lease(offset)?.attempts).toBe(model.entries.get(offset)?.attempts)
        }
      }
    }),
    { numRuns: 150 },
  )
})

const lease = fc.record({
  queueOffset: fc.nat(END - 1),
  attempt: fc.integer({ min: 1, max: 3 }),
  servingEpoch: fc.integer({ min: 1, max: 2 }),
  deliveredAt: fc.integer({ min: 0, max: 3 }),
})

const state = fc
  .record({
    acks: fc.array(fc.tuple(fc.nat(END - 2), fc.integer({ min: 1, max: 4 })), { maxLength: 6 }),
    settled: fc.array(fc.tuple(fc.nat(END - 1), fc.integer({ min: 50, max: 55 })), { maxLength: 4 }),
    leases: fc.array(lease, { maxLength: 8 }),
    reset: fc.option(fc.tuple(fc.nat(END), fc.integer({ min: 1, max: 2 }))),
  })
  .map(({ acks, settled, leases, reset }): ProgressState => {
    const queue = new QueueProgress(key)
    if (reset !== null) queue.reset(reset[0], { servingEpoch: reset[1], counter: 1 })
    const generation = queue.generation
    for (const one of leases) {
      queue.deliver(delivery(one.queueOffset, one.attempt, one.deliveredAt), one.servingEpoch, generation, 0)
    }
    for (const [from, length] of acks) {
      const last = Math.min(END, from + length) - 1
      queue.ack({ queueOffset: last, from, stamp: stamp(last) }, generation)
    }
    for (const [queueOffset, write] of settled) {
      queue.ack({ queueOffset, stamp: stamp(queueOffset), after: stamp(write) }, generation)
    }
    return queue.state(0)
  })

/** What is known after these were merged in this order; marks are evidence, not knowledge. */
function merged(...states: readonly ProgressState[]): unknown {
  const queue = new QueueProgress(key)
  for (const one of states) queue.merge(one, 0)
  const { acked, generation, voidFrom, leases, settling } = queue.state(0)
  return {
    acked,
    generation,
    voidFrom,
    leases: leases.toSorted((a, b) => a.queueOffset - b.queueOffset),
    writes: settling?.writes.toSorted((a, b) => a.queueOffset - b.queueOffset),
  }
}

/** Two resets under one generation cannot happen: only one broker holds the token. */
const compatible = (a: ProgressState, b: ProgressState): boolean =>
  a.generation.servingEpoch !== b.generation.servingEpoch || a.voidFrom === b.voidFrom

test('merging is commutative and idempotent, and loses no acknowledgement of the same generation (rule 5.3)', () => {
  fc.assert(
    fc.property(state, state, (a, b) => {
      fc.pre(compatible(a, b))
      expect(merged(a, b)).toEqual(merged(b, a))
      expect(merged(a, b, a, b)).toEqual(merged(a, b))
      expect(new QueueProgress(key).merge(a, 0)).toBe(
        a.acked.length + a.leases.length + a.generation.servingEpoch > 0,
      )
      const queue = new QueueProgress(key)
      queue.merge(a, 0)
      queue.merge(b, 0)
      expect(queue.merge(a, 0)).toBe(false)
      const newer = a.generation.servingEpoch >= b.generation.servingEpoch ? a : b
      for (const one of [a, b]) {
        if (one.generation.servingEpoch !== newer.generation.servingEpoch) continue
        for (const [from, to] of one.acked)
          for (let at = from; at < to; at++) expect(queue.isAcked(at)).toBe(true)
      }
    }),
  )
})

test('merging three copies of one generation gives the same in any order', () => {
  const plain = state.filter((one) => one.generation.servingEpoch === 0)
  fc.assert(
    fc.property(plain, plain, plain, (a, b, c) => {
      const whole = merged(a, b, c)
      expect(merged(c, b, a)).toEqual(whole)
      expect(merged(b, a, c)).toEqual(whole)
    }),
  )
})

test('a newer generation wins: older acknowledgements count only below what it voided (rule 5.4)', () => {
  const older = new QueueProgress(key)
  older.ack({ queueOffset: 9, from: 0, stamp: stamp(9) }, zero)
  older.deliver(delivery(12), 1, zero, 0)
  const newer = new QueueProgress(key)
  newer.reset(4, { servingEpoch: 5, counter: 1 })
  expect(newer.merge(older.state(0), 0)).toBe(false)
  expect(newer.floor).toBe(4)
  expect(older.merge(newer.state(0), 0)).toBe(true)
  expect(older.floor).toBe(4)
  expect(older.lease(12)).toBeUndefined()
})

test('what counts of an older generation keeps its marks: another cut may take these records (rule 5.2)', () => {
  const older = new QueueProgress(key)
  older.ack({ queueOffset: 2, from: 0, stamp: stamp(2) }, zero)
  const newer = new QueueProgress(key)
  newer.deliver(delivery(9), 1, zero, 0)
  newer.cut(4, { servingEpoch: 5, counter: 1 })
  expect(newer.merge(older.state(0), 0)).toBe(true)
  expect(newer.state(0)).toMatchObject({ acked: [[0, 3]], marks: [{ queueOffset: 2, stamp: stamp(2) }] })
})

test('a cut forgets what lies past the end and keeps what lies before it', () => {
  const queue = new QueueProgress(key)
  queue.ack({ queueOffset: 4, from: 0, stamp: stamp(4) }, zero)
  queue.ack({ queueOffset: 9, stamp: stamp(9) }, zero)
  queue.deliver(delivery(8), 1, zero, 0)
  queue.deliver(delivery(6), 1, zero, 0)
  expect(queue.cut(10, { servingEpoch: 7, counter: 1 })).toBe(false)
  expect(queue.generation).toEqual(zero)
  expect(queue.cut(8, { servingEpoch: 7, counter: 1 })).toBe(true)
  expect(queue.floor).toBe(5)
  expect(queue.lease(6)?.attempt).toBe(1)
  expect(queue.candidate(7, 20, 0)).toBe(7)
  expect(queue.candidate(8, 20, 0)).toBe(8)
})

test('ten thousand deliveries renewed again and again stay cheap', () => {
  const queue = new QueueProgress(key)
  for (let round = 0; round < 20; round++) {
    for (let offset = 0; offset < 10_000; offset++) {
      queue.deliver(delivery(offset, 1, round, 1_000 * (round + 1)), 1, zero, round)
    }
    expect(queue.candidate(0, 20_000, round)).toBe(10_000)
  }
  expect(queue.nextVisibleAt(100)).toBe(20_019)
  expect(queue.invisibleCount(20_019)).toBe(0)
})
