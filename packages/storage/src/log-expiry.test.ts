import { describe, expect, test } from 'vitest'
import type { MessageStore } from './index.ts'
import { CountedCrash } from './counted-crash.test-kit.ts'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

const SEGMENT = 4096
const root = '/data/store'

/** A store whose log has several segments, all of it on disk and in synced queues. */
async function filled(bench: StoreBench, messages = 60): Promise<MessageStore> {
  const store = await bench.openMaster()
  store.append(message('only one', 'rare'))
  for (let n = 0; n < messages; n += 1) store.append(message(`${n}-${'x'.repeat(400)}`))
  await bench.clock.outcome(store.flush())
  await bench.clock.advance(10_000)
  return store
}

function segments(bench: StoreBench): readonly string[] {
  return bench.disk.list(`${root}/commitlog`)
}

describe('expiring segments', () => {
  test('removes whole ones below the position, and queues begin later', async () => {
    const bench = new StoreBench({ index: { slots: 16, entries: 12 } })
    const store = await filled(bench)
    const before = bodies(store)
    const held = store.read(0, 100)
    const copy = Buffer.from(held)
    expect(await bench.clock.outcome(store.expire(3 * SEGMENT + 17))).toBe(3)

    expect(store.minOffset).toBe(3 * SEGMENT)
    expect(segments(bench)[0]).toBe(String(3 * SEGMENT).padStart(20, '0'))
    const queue = store.queue('orders', 0)
    expect(queue?.unit(queue.minOffset)?.offset).toBeGreaterThanOrEqual(3 * SEGMENT)
    expect(bodies(store)).toEqual(before.slice(queue?.minOffset))
    expect(store.queue('rare', 0)).toMatchObject({ minOffset: 1, maxOffset: 1 })
    // Files of five units: those wholly below are gone, of both the queue and the index.
    const files = bench.disk.list(`${root}/consumequeue/orders/0`)
    expect(Number(files[0]) / 20).toBe((queue?.minOffset ?? 0) - ((queue?.minOffset ?? 0) % 5))
    expect(bench.disk.list(`${root}/index`).length).toBeLessThan(61 / 11)

    expect(held).toEqual(copy)
    const expired = expect.objectContaining({ code: 'OFFSET_EXPIRED' })
    expect(() => store.read(3 * SEGMENT - 1, 1)).toThrow(expired)
    expect(() => store.record(0)).toThrow(expired)
    expect(() => store.checksum(0, store.end)).toThrow(expired)
    expect(await bench.clock.outcome(store.expire(3 * SEGMENT))).toBe(0)
  })

  test.each([
    ['the first fails', 1, [3, 5], 1],
    ['the second fails', 3, [3, 5], 1],
    ['the first of two alike fails', 1, [3, 3], 1],
    ['both fail', 1, [3, 5], 2],
  ] as const)('several times at once: %s', async (_, nth, upTo, failures) => {
    const bench = new StoreBench()
    const store = await filled(bench)
    for (let n = 0; n < failures; n += 1)
      bench.disk.fail({ call: 'write', code: 'EIO', matching: /position/, nth: nth + n })
    const running = upTo.map((segment) => store.expire(segment * SEGMENT))
    const outcomes = await bench.clock.outcome(Promise.allSettled(running))
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(failures)
    const first = Number(segments(bench)[0])
    expect(store.minOffset).toBe(first)
    expect(store.read(first, 100)).toHaveLength(100)
    if (first > 0)
      expect(() => store.read(first - 1, 1)).toThrow(expect.objectContaining({ code: 'OFFSET_EXPIRED' }))
    expect(
      store.queue('orders', 0)?.unit(store.queue('orders', 0)?.minOffset ?? -1)?.offset,
    ).toBeGreaterThanOrEqual(first)
    expect(await bench.clock.outcome(store.expire(6 * SEGMENT))).toBe(6 - first / SEGMENT)
    expect(segments(bench)[0]).toBe(String(6 * SEGMENT).padStart(20, '0'))
    bench.cutPower()
    expect((await bench.open()).minOffset).toBe(6 * SEGMENT)
  })

  test('never the newest, and nothing that a restart would need', async () => {
    const bench = new StoreBench()
    const store = await filled(bench)
    const synced = store.end
    for (let n = 0; n < 40; n += 1) store.append(message(`new ${n}-${'x'.repeat(400)}`))
    await bench.clock.outcome(store.flush())
    await bench.clock.outcome(store.expire(Infinity))
    expect(store.minOffset).toBe(synced - (synced % SEGMENT))
    await bench.clock.advance(10_000)
    await bench.clock.outcome(store.expire(Infinity))
    expect(segments(bench)[0]).toBe(String(store.minOffset).padStart(20, '0'))
    expect(store.end - store.minOffset).toBeLessThanOrEqual(SEGMENT)
    expect(bodies(store).at(-1)).toMatch(/^new 39/)
    expect(store.append(message('goes on')).queueOffset).toBe(100)
  })

  test('leaves no queue offset to be used twice, through restarts, and though the queues are lost', async () => {
    for (const end of ['clean', 'kill', 'power'] as const) {
      const bench = new StoreBench()
      const store = await filled(bench)
      await bench.clock.outcome(store.expire(Infinity))
      const bodiesLeft = bodies(store)
      if (end === 'clean') await bench.clock.outcome(store.close())
      else if (end === 'kill') bench.kill()
      else bench.cutPower()
      const again = await bench.openMaster()
      expect(again.minOffset, end).toBe(store.minOffset)
      expect(again.recovery.lossPossible, end).toBe(end === 'power')
      expect(bodies(again), end).toEqual(bodiesLeft)
      expect(again.queue('rare', 0), end).toMatchObject({ minOffset: 1, maxOffset: 1 })
      expect(again.append(message('next', 'rare')).queueOffset, end).toBe(1)
      expect(again.append(message('next')).queueOffset, end).toBe(60)
    }
    for (const lost of ['consumequeue', 'queueEnds', 'consumequeue/orders']) {
      const bench = new StoreBench()
      const store = await filled(bench)
      await bench.clock.outcome(store.expire(Infinity))
      const left = bodies(store)
      await bench.clock.outcome(store.close())
      bench.disk.remove(`${root}/${lost}`)
      const again = await bench.openMaster()
      expect(bodies(again), lost).toEqual(left)
      expect(again.queue('rare', 0), lost).toMatchObject({ minOffset: 1, maxOffset: 1 })
      const next = [message('next', 'rare'), message('next')].map((m) => again.append(m).queueOffset)
      expect(next, lost).toEqual([1, 60])
      bench.kill()
      const third = await bench.open()
      expect(bodies(third, 'rare'), lost).toEqual(['next'])
      expect(third.queue('rare', 0), lost).toMatchObject({ minOffset: 1, maxOffset: 2 })
    }
  })

  test('is finished, or has not happened, wherever the process or the machine dies in it', async () => {
    let finished = false
    for (let crashAt = 1; !finished; crashAt += 1) {
      for (const power of [false, true]) {
        const bench = new StoreBench({ index: { slots: 16, entries: 12 } }, crashAt)
        const store = await filled(bench)
        const all = bodies(store)
        await bench.clock.outcome(store.close())
        let armed = false
        const crash = () => (power ? bench.cutPower() : bench.kill())
        const counted = new CountedCrash(bench.disk.mount(), () => armed, crashAt, crash)
        const dying = await bench.clock.outcome(bench.opening({}, counted.files))
        armed = true
        await Promise.race([
          bench.clock.outcome(dying.expire(4 * SEGMENT)).catch(() => {}),
          bench.clock.advance(60_000),
        ])
        finished = counted.calls < crashAt
        armed = false
        if (finished) break

        const again = await bench.openMaster()
        const first = segments(bench)[0]
        expect(again.minOffset, `call ${crashAt}`).toBe(Number(first))
        expect([0, 4 * SEGMENT], `call ${crashAt}`).toContain(again.minOffset)
        expect(bodies(again)).toEqual(all.slice(again.queue('orders', 0)?.minOffset))
        expect(again.append(message('next', 'rare')).queueOffset).toBe(1)
        await bench.clock.advance(10_000)
        await bench.clock.outcome(again.expire(4 * SEGMENT))
        expect(Number(segments(bench)[0])).toBe(4 * SEGMENT)
      }
    }
  })

  test('a slave goes on where its master is, whichever begins earlier', async () => {
    const bench = new StoreBench()
    const store = await filled(bench)
    const rest = store.read(2 * SEGMENT, SEGMENT)
    const slave = await new StoreBench().open()
    slave.appendRaw(2 * SEGMENT, rest)
    expect(slave.minOffset).toBe(2 * SEGMENT)
    await bench.clock.outcome(store.expire(4 * SEGMENT))
    expect(store.read(4 * SEGMENT, 8)).toHaveLength(8)
  })
})
