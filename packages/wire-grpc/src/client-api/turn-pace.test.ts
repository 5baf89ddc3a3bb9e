import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { TurnPace } from './turn-pace.ts'

const { signal } = new AbortController()

function begins(pace: TurnPace) {
  const order: string[] = []
  const begin = (client: string, amount: number, until = signal): void => {
    const waiting = pace.enter(amount, client, until)
    if (waiting) void waiting.then(() => order.push(client))
    else order.push(client)
  }
  return { order, begin }
}

test('what is more than a turn may take is begun in later turns, and one large piece in a turn of its own', async () => {
  const { order, begin } = begins(new TurnPace(10))
  for (const amount of [4, 4, 4, 30, 1]) begin(`${amount}`, amount)
  expect(order).toEqual(['4', '4'])
  const turns: string[] = []
  for (let n = 0; n < 3; n += 1) {
    order.length = 0
    await turn()
    turns.push(order.join(' '))
  }
  expect(turns).toEqual(['4', '30', '1'])
})

test('clients go on one after the other, however many pieces one of them has', async () => {
  const { order, begin } = begins(new TurnPace(1))
  for (let n = 0; n < 5; n += 1) begin('greedy', 1)
  begin('honest', 1)
  for (let n = 0; n < 7; n += 1) await turn()
  expect(order).toEqual(['greedy', 'greedy', 'honest', 'greedy', 'greedy', 'greedy'])
})

test('whoever is gone waits no more, and takes nothing of a turn', async () => {
  const { order, begin } = begins(new TurnPace(1))
  const gone = new AbortController()
  begin('first', 1)
  begin('gone', 1, gone.signal)
  begin('last', 1)
  gone.abort()
  await turn()
  expect(order).toEqual(['first', 'gone', 'last'])
})

test('nothing is begun while it may not, and all goes on when it may', async () => {
  let isOpen = true
  const pace = new TurnPace(10, () => isOpen)
  const { order, begin } = begins(pace)
  begin('a', 1)
  isOpen = false
  begin('b', 1)
  begin('c', 1)
  for (let n = 0; n < 3; n += 1) await turn()
  expect([order.join(' '), pace.hasWaiting]).toEqual(['a', true])
  isOpen = true
  pace.look()
  await turn()
  expect([order.join(' '), pace.hasWaiting]).toEqual(['a b c', false])
})

test('after a turn without work everything begins at once again', async () => {
  const { order, begin } = begins(new TurnPace(2))
  for (const client of ['a', 'b']) begin(client, 1)
  await turn()
  for (const client of ['c', 'd']) begin(client, 1)
  expect(order).toEqual(['a', 'b', 'c', 'd'])
})
