import { describe, expect, test } from 'vitest'
import { coldStand, type ColdStand } from './cold-stand.test-kit.ts'
import { Stand, bodies, refusal } from './stand.test-kit.ts'

async function sent(texts: readonly string[], queues = 1): Promise<ColdStand> {
  return coldStand(async (stand) => {
    stand.topic('orders', { queues })
    stand.group('billing')
    await stand.sendAll(...texts)
  })
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${n}`)
}

describe('messages that are on file only', () => {
  test('are received without a read of the log for which everybody waits, many with one', async () => {
    const { stand, reads } = await sent(numbers(100))
    const received = [...(await stand.receive()), ...(await stand.receive()), ...(await stand.receive())]
    expect(bodies(received)).toEqual(numbers(96))
    expect(reads).toEqual([expect.objectContaining({ isLater: true })])
  })

  test('leave the loop its turns while they are read', async () => {
    const { stand } = await sent(numbers(3))
    let answered = false
    const answer = stand.poll().then(() => (answered = true))
    await stand.clock.settle()
    expect(answered).toBe(false)
    await stand.clock.outcome(answer)
  })

  test('are read once for all who ask, and nobody gets what another has', async () => {
    const { stand, reads } = await sent(numbers(300), 2)
    const answers = await stand.clock.outcome(
      Promise.all(Array.from({ length: 12 }, () => stand.poll({ batchSize: 25 }))),
    )
    const received = answers.flatMap(({ messages }) => bodies(messages)).map(Number)
    expect(received.toSorted((a, b) => a - b)).toEqual(numbers(300).map(Number))
    expect(reads.filter(({ isLater }) => !isLater)).toEqual([])
    expect(reads.length).toBeLessThanOrEqual(3)
  })

  test('are not handed out when the token has gone meanwhile', async () => {
    const { stand } = await sent(numbers(3))
    const answer = refusal(stand.poll())
    stand.servingEpoch = 0
    expect(await stand.clock.outcome(answer)).toBe('NOT_SERVING')
    stand.servingEpoch = 2
    expect(bodies(await stand.receive())).toEqual(numbers(3))
  })

  test('are not handed out to a caller that is gone', async () => {
    const { stand } = await sent(numbers(3))
    const caller = new AbortController()
    const answer = stand.poll({}, { signal: caller.signal }).catch((reason: unknown) => reason)
    caller.abort('gone')
    expect(await stand.clock.outcome(answer)).toBe('gone')
    expect(bodies(await stand.receive())).toEqual(numbers(3))
  })

  test('reach a receive that waits already', async () => {
    const stand = new Stand()
    stand.tailBytes = 1
    await stand.boot()
    stand.topic('orders', { queues: 1 })
    stand.topic('bulk', { queues: 1 })
    stand.group('billing')
    await stand.sendAll('early')
    const [message] = await stand.receive({ invisibleMs: 5000 })
    await stand.send({ topic: 'bulk', body: Buffer.alloc(600_000) })
    expect(stand.store.isInMemory({ offset: 0, size: message?.record.size ?? 0 })).toBe(false)
    const answer = stand.poll()
    await stand.clock.advance(5001)
    expect(bodies((await stand.clock.outcome(answer)).messages)).toEqual(['early'])
  })

  test('come in order to an orderly group, with the rest of their batch', async () => {
    const { stand } = await sent(numbers(40))
    stand.group('ledger', { orderly: true })
    const fields = { group: 'ledger', attemptId: 'a', invisibleMs: 60_000 }
    expect(bodies(await stand.receive(fields))).toEqual(numbers(32))
    stand.kill()
    await stand.boot()
    expect(bodies(await stand.receive({ ...fields, attemptId: 'b' }))).toEqual([])
    await stand.clock.advance(60_001)
    expect(bodies(await stand.receive({ ...fields, attemptId: 'b' }))).toEqual(numbers(32))
  })

  test('that are damaged are passed over, as those in memory', async () => {
    const { stand } = await sent(numbers(3))
    const unit = stand.store.queue('orders', 0)?.unit(1)
    const file = '/store/commitlog/00000000000000000000'
    stand.machine.files.corrupt(file, unit?.offset ?? 0, Buffer.alloc(unit?.size ?? 0))
    expect(bodies(await stand.receive())).toEqual(['0', '2'])
  })
})
