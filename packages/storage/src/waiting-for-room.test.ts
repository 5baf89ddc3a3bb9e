import { expect, test } from 'vitest'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

const long = 'r'.repeat(300)

/** A master with 20 messages, on disk and in their queue. */
async function filled() {
  const bench = new StoreBench()
  const store = await bench.openMaster()
  const offsets: number[] = []
  for (let n = 0; n < 20; n += 1) offsets.push(store.append(message(`body ${n} ${long}`)).offset)
  await bench.clock.outcome(store.flush())
  await bench.dispatched(store)
  return { bench, store, offsets }
}

test('without a file descriptor for the next segment an append is refused by its name, and the next one goes on', async () => {
  const bench = new StoreBench({ preZeroBytes: 0 })
  const store = await bench.openMaster()
  const sent: string[] = []
  const send = (): void => {
    const body = `body ${sent.length} ${long}`
    store.append(message(body))
    sent.push(body)
  }
  send()
  const size = store.end
  while (store.end + size + 8 <= 4096) send()
  bench.disk.fail({ call: 'open', code: 'EMFILE', matching: /commitlog/ })
  expect(send).toThrow(
    expect.objectContaining({
      code: 'SYSTEM_BUSY',
      message: expect.stringContaining('/data/store/commitlog/00000000000000004096'),
    }),
  )
  expect(store.fence).toBeUndefined()
  send()
  await bench.clock.outcome(store.flush())
  await bench.dispatched(store)
  expect(bodies(store)).toEqual(sent)
})

test('queue files that are open are closed when descriptors run out', async () => {
  const bench = new StoreBench()
  const store = await bench.openMaster()
  for (let n = 0; n < 40; n += 1) store.append(message(`body ${n}`, `topic-${n}`))
  await bench.dispatched(store)
  bench.disk.fail({ call: 'open', code: 'EMFILE', matching: /consumequeue/ })
  store.append(message('more', 'topic-3'))
  store.append(message('new', 'topic-new'))
  await bench.clock.advance(2_000)
  expect(bodies(store, 'topic-3')).toEqual(['body 3', 'more'])
  expect(bodies(store, 'topic-new')).toEqual(['new'])
})

test.each([
  ['the order to cut', /position/],
  ['the ancestry', /epochOpeners/],
])('a cut that has begun waits for room to write %s down, and goes on by itself', async (_what, matching) => {
  const { bench, store, offsets } = await filled()
  await bench.clock.advance(10) // Its first position is on file.
  for (let times = 0; times < 3; times += 1) bench.disk.fail({ call: 'write', code: 'ENOSPC', matching })
  let isCut = false
  const cut = store.truncateTo(offsets[7] ?? 0).then(() => {
    isCut = true
  })
  await bench.clock.advance(2_500)
  expect(isCut).toBe(false)
  expect(() => store.append(message('too early'))).toThrow(expect.objectContaining({ code: 'LOG_CLOSED' }))
  await bench.clock.advance(1_500)
  await cut
  expect(store.end).toBe(offsets[7])
  expect(bodies(store)).toHaveLength(7)
  await bench.clock.outcome(store.openEpoch())
  store.append(message('after'))
  await bench.dispatched(store)
  expect(bodies(store).at(-1)).toBe('after')
})

test('a process that ends while a cut waits leaves it to the next one', async () => {
  const { bench, store, offsets } = await filled()
  bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /epochOpeners/, forever: true })
  const cut = store.truncateTo(offsets[7] ?? 0)
  const outcome = expect(cut).rejects.toMatchObject({ code: 'ENOSPC' })
  await bench.clock.advance(2_500)
  await bench.clock.outcome(store.close())
  await bench.clock.advance(2_500)
  await outcome
  bench.kill()
  const again = await bench.open()
  expect(again.end).toBe(offsets[7])
})

test('a store that is closed while it is cut ends with the cut: nothing of it goes on behind the next opening', async () => {
  const { bench, store, offsets } = await filled()
  let isCut = false
  void store.truncateTo(offsets[7] ?? 0).then(() => {
    isCut = true
  })
  await bench.clock.outcome(store.close())
  expect(isCut).toBe(true)
  const again = await bench.open()
  expect([again.end, again.recovery.cleanStop]).toEqual([offsets[7], true])
})
