import { SeededRandom } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { MemoryLog, lineageOf } from './testing/memory-log.ts'
import { Pair } from './testing/pair.ts'
import type { Direction, Passage, Tap } from './testing/tapped-net.ts'

const SEGMENT_BYTES = 256
const FIRST_BYTES = 500
const BYTES = 700

interface Conditions {
  readonly flushRequired?: boolean
  readonly seed?: number
  /** What may happen to the net besides, while all this goes on. */
  readonly meanwhile?: (pair: Pair) => Promise<void>
}

/**
 * A slave copies a small log through `tap`, then more of it; in the end it must have all of it, whatever the tap does to the first connections.
 * Returns what was never to be: sentences; empty = all is as promised.
 */
async function copiedThrough(tap: Tap, conditions: Conditions = {}): Promise<readonly string[]> {
  const { flushRequired = false, seed = 1, meanwhile = ({ clock }) => clock.advance(30) } = conditions
  const pair = new Pair(seed, { lineage: lineageOf({ 1: 0 }), segmentBytes: SEGMENT_BYTES })
  const log = new MemoryLog(pair.clock, { segmentBytes: SEGMENT_BYTES })
  log.flushMs = flushRequired ? 3 : 0
  pair.masterLog.write(pair.random.bytes(FIRST_BYTES))
  pair.tap = tap
  const wrong: string[] = []
  const master = await pair.listen({ flushRequired })
  master.replicated.onAdvance((at) => {
    const held = flushRequired ? log.flushed : log.end
    if (at > held) wrong.push(`${at} counts as held by two, the slave holds ${held}`)
    if (!log.bytes.equals(pair.masterLog.bytes.subarray(0, log.end))) wrong.push(`differs at ${log.end}`)
  })
  const slave = pair.follow(log)
  await meanwhile(pair)
  pair.masterLog.write(pair.random.bytes(BYTES - FIRST_BYTES))
  try {
    await pair.clock.outcome(master.waitFor(BYTES), 120_000)
  } catch {
    return [...wrong, `the slave holds ${log.end}, counted is ${master.replicated.at}: ${slave.state.kind}`]
  }
  await pair.clock.advance(5_000)
  await pair.clock.runUntil(() => slave.masterConnected && master.replicas().length === 1)
  if (!log.bytes.equals(pair.masterLog.bytes)) wrong.push('the logs differ in the end')
  const seated = master.replicas().map(({ identity, received }) => `${identity} at ${received}`)
  if (seated.join() !== `slave-1 at ${BYTES}`) wrong.push(`seated are ${seated.join() || 'none'}`)
  if (log.cuts.length > 0) wrong.push(`the slave was cut to ${log.cuts.join()}`)
  await master.close()
  return wrong
}

/** Breaks the n-th connections behind so many bytes in one direction. */
class Cutter implements Tap {
  /** Bytes that have passed the first connection. */
  readonly passed = { up: 0, down: 0 }
  readonly #cut: { readonly direction: Direction; readonly after: number } | undefined

  constructor(cut?: { readonly direction: Direction; readonly after: number }) {
    this.#cut = cut
  }

  pass(direction: Direction, bytes: Buffer, connection: number) {
    if (connection > 1) return { pieces: [bytes] }
    const left = this.#cut?.direction === direction ? this.#cut.after - this.passed[direction] : Infinity
    this.passed[direction] += bytes.length
    if (left > bytes.length) return { pieces: [bytes] }
    return { pieces: [bytes.subarray(0, Math.max(0, left))], isBroken: true }
  }
}

test.each([
  ['up', false],
  ['up', true],
  ['down', false],
  ['down', true],
] as const)(
  'a stream that breaks behind any byte, %s (flushed: %s): nothing is counted that is not held, and it is taken up where it was',
  async (direction, flushRequired) => {
    const whole = new Cutter()
    expect(await copiedThrough(whole, { flushRequired })).toEqual([])
    const { [direction]: bytes } = whole.passed
    expect(bytes).toBeGreaterThan(direction === 'up' ? 300 : BYTES + 300)
    // Each byte of both directions once, and again a part of them where reports wait for the disk.
    for (let after = 0; after < bytes; after += flushRequired ? 3 : 1) {
      const wrong = await copiedThrough(new Cutter({ direction, after }), { flushRequired })
      expect(wrong, `cut ${direction} after ${after} bytes`).toEqual([])
    }
  },
)

/** Does something to each of the first connections, as a seed has it. */
class Meddler implements Tap {
  readonly done: string[] = []
  readonly #random: SeededRandom
  readonly #connections: number
  #connection = 0
  #plan: { readonly direction: Direction; readonly what: string } | undefined
  /** Bytes until then. */
  #left = 0

  constructor(random: SeededRandom) {
    this.#random = random
    this.#connections = 1 + random.below(6)
  }

  pass(direction: Direction, bytes: Buffer, connection: number): Passage {
    if (connection > this.#connection) this.#begin(connection)
    const plan = this.#plan
    if (connection < this.#connection || plan?.direction !== direction) return { pieces: [bytes] }
    this.#left -= bytes.length
    if (this.#left > 0) return { pieces: [bytes] }
    this.#plan = undefined
    this.done.push(`${plan.direction} ${plan.what}`)
    return this.#changed(plan.what, bytes)
  }

  #begin(connection: number): void {
    this.#connection = connection
    if (connection > this.#connections) return
    const direction = this.#random.chance(2, 3) ? 'up' : 'down'
    // In the place of log bytes nobody could tell others from them: that they come as they were sent is TCP's part, or TLS's.
    const kinds = direction === 'up' ? ['broken', 'repeated', 'lost', 'garbage', 'late'] : ['broken']
    this.#plan = { direction, what: kinds[this.#random.below(kinds.length)] ?? '' }
    this.#left = this.#random.below(direction === 'up' ? 450 : 1_500)
  }

  #changed(what: string, bytes: Buffer): Passage {
    const kept = bytes.subarray(0, this.#random.below(bytes.length + 1))
    if (what === 'broken') return { pieces: [kept], isBroken: true }
    if (what === 'repeated') return { pieces: [bytes, Buffer.from(bytes)] }
    if (what === 'lost') return { pieces: [] }
    if (what === 'garbage') return { pieces: [kept, this.#random.bytes(1 + this.#random.below(200))] }
    return {
      pieces: [kept],
      late: { bytes: bytes.subarray(kept.length), afterMs: this.#random.below(4_000) },
    }
  }
}

test('whatever is broken, repeated, lost, garbled, or said by an old connection when a newer one runs: nothing is counted that is not held, and all is copied once', async () => {
  const done = new Set<string>()
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new SeededRandom(seed)
    const meddler = new Meddler(random)
    const wrong = await copiedThrough(meddler, {
      seed,
      flushRequired: random.chance(1, 2),
      meanwhile: async ({ clock, net }) => {
        await clock.advance(random.below(3_000))
        if (random.chance(1, 4)) net.reset('m', 's')
      },
    })
    expect(wrong, `seed ${seed}: ${meddler.done.join(', ')}`).toEqual([])
    for (const what of meddler.done) done.add(what)
  }
  expect([...done].toSorted()).toEqual([
    'down broken',
    'up broken',
    'up garbage',
    'up late',
    'up lost',
    'up repeated',
  ])
})
