import { BrokerError } from '@tandemmq/base'
import { describe, expect, test } from 'vitest'
import type { Appended, MessageToAppend } from './index.ts'
import { StoreBench, bodies, logBytes, message } from './store-bench.test-kit.ts'

/** Lengths that meet the ends of segments, and of the pieces of the tail's memory, in every way. */
function various(count: number): MessageToAppend[] {
  return Array.from({ length: count }, (_, n) =>
    message(`${n} ${'v'.repeat((n * 397) % 1900)}`, n % 3 === 0 ? 'orders' : 'parcels', n % 2),
  )
}

function codes(outcomes: readonly (Appended | BrokerError)[]): (number | string)[] {
  return outcomes.map((outcome) => (outcome instanceof BrokerError ? outcome.code : outcome.queueOffset))
}

/** A message with a place in a light queue. */
function lit(body: string): MessageToAppend {
  return { ...message(body), properties: 'INNER_MULTI_DISPATCH\u0001%LMQ%light\u0002' }
}

describe('messages of one turn', () => {
  test('become the same log as one by one, whatever pieces they are written in', async () => {
    const one = new StoreBench()
    const all = new StoreBench()
    const single = await one.openMaster()
    const store = await all.openMaster()
    const messages = various(60)
    const expected = messages.map((each) => single.append(each))
    const outcomes = [0, 1, 20].flatMap((at, index, starts) =>
      store.appendAll(messages.slice(at, starts[index + 1])),
    )
    expect(outcomes).toEqual(expected)
    expect(logBytes(store).equals(logBytes(single))).toBe(true)
    await all.dispatched(store)
    await one.dispatched(single)
    for (const topic of ['orders', 'parcels'])
      for (const queueId of [0, 1])
        expect(bodies(store, topic, queueId)).toEqual(bodies(single, topic, queueId))
  })

  test('are each refused or appended by themselves', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    const outcomes = store.appendAll([
      message('a'),
      message('b', 'a/topic'),
      { ...message('c'), properties: 'x'.repeat(40_000) },
      { ...message('d'), bornTimestamp: Number.NaN },
      message('e'),
    ])
    expect(codes(outcomes)).toEqual([0, 'MESSAGE_ILLEGAL', 'MESSAGE_ILLEGAL', 'MESSAGE_ILLEGAL', 1])
    await bench.dispatched(store)
    expect(bodies(store)).toEqual(['a', 'e'])
  })

  test('are shown to nobody before they are written, and all of them then', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    const shown: number[] = []
    store.written.onAdvance((at) => {
      expect(store.read(0, at)).toHaveLength(at)
      shown.push(at)
    })
    const outcomes = store.appendAll([message('a'), message('b'), message('c')])
    expect(shown).toEqual([outcomes[2] instanceof BrokerError ? -1 : outcomes[2]?.end])
  })

  test('a piece that finds no room is refused whole, uses no queue offset, and leaves no byte; what follows is appended', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster({ preZeroBytes: 0 })
    store.append(message('first'))
    bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /commitlog/ })
    const refused = store.appendAll([message('a'), message('b', 'parcels'), message('c')])
    expect(codes(refused)).toEqual(['DISK_FULL', 'DISK_FULL', 'DISK_FULL'])
    expect(store.isDiskFull).toBe(true)
    const appended = store.appendAll([message('d'), message('e', 'parcels')])
    expect(codes(appended)).toEqual([1, 0])
    store.append(message('f'))
    await bench.dispatched(store)
    expect([bodies(store), bodies(store, 'parcels')]).toEqual([['first', 'd', 'f'], ['e']])
    await bench.clock.outcome(store.close())
    const again = await bench.open()
    expect([again.recovery.cleanStop, bodies(again)]).toEqual([true, ['first', 'd', 'f']])
  })

  test('places in light queues of a piece that failed are free again', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster({ preZeroBytes: 0, lightQueues: true })
    bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /commitlog/ })
    expect(codes(store.appendAll([lit('a'), lit('b')]))).toEqual(['DISK_FULL', 'DISK_FULL'])
    expect(codes(store.appendAll([lit('c'), lit('d')]))).toEqual([0, 1])
    await bench.dispatched(store)
    expect(bodies(store, '%LMQ%light')).toEqual(['c', 'd'])
    expect(store.queue('%LMQ%light', 0)).toMatchObject({ minOffset: 0, maxOffset: 2 })
  })

  test('pieces before and behind the one that failed are in the log', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster({ preZeroBytes: 0 })
    // Two records of this length fill a segment.
    const messages = Array.from({ length: 6 }, (_, n) => message(`${n}${'l'.repeat(1800)}`))
    bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /commitlog\/0+4096$/ })
    const outcomes = store.appendAll(messages)
    expect(codes(outcomes)).toEqual([0, 1, 'DISK_FULL', 'DISK_FULL', 2, 3])
    await bench.dispatched(store)
    expect(bodies(store).map((body) => body[0])).toEqual(['0', '1', '4', '5'])
  })

  test('a disk that does not say what room it has takes them as long as it has some', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster({ preZeroBytes: 0, segmentBytes: 1024 * 1024 })
    store.append(message('first'))
    bench.disk.fail({ call: 'space', code: 'EIO', forever: true })
    const expected = ['first']
    for (let n = 0; n < 240; n += 3) {
      const sent = [n, n + 1, n + 2].map((each) => `${each} ${'r'.repeat(1800)}`)
      expect(codes(store.appendAll(sent.map((body) => message(body))))).toEqual([n + 1, n + 2, n + 3])
      expected.push(...sent)
    }
    expect([store.isDiskFull, store.isOutOfRoom]).toEqual([false, false])
    await bench.dispatched(store)
    expect(bodies(store)).toEqual(expected)
    bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /commitlog/ })
    expect(codes(store.appendAll([message('a'), message('b')]))).toEqual(['DISK_FULL', 'DISK_FULL'])
  })

  test('a disk that fails fences the log for all of them', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster({ preZeroBytes: 0 })
    bench.disk.fail({ call: 'write', code: 'EIO', matching: /commitlog/ })
    const outcomes = store.appendAll([message('a'), message('b')])
    expect(codes(outcomes)).toEqual(['LOG_FENCED', 'LOG_FENCED'])
    expect(store.isWritable).toBe(false)
  })
})
