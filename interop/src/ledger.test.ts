import { expect, test } from 'vitest'
import { Ledger } from './ledger.ts'

test('tells lost, unknown and duplicated apart', () => {
  const ledger = new Ledger()
  for (const number of [1, 2, 3, 4]) ledger.sent(number)
  for (const number of [1, 2, 3]) ledger.acknowledged(number)
  ledger.refused(4)
  ledger.received(1, 0)
  ledger.consumed(1)
  ledger.received(2, 50)
  ledger.received(2, 250)
  ledger.received(1, 260)
  expect(ledger.totals()).toEqual({
    sent: 4,
    acknowledged: 3,
    unknown: 1,
    received: 2,
    lost: 1,
    duplicated: 2,
    duplicatedAfterAck: 1,
    longestPauseMs: 200,
  })
  expect(ledger.missing()).toEqual([3])
  ledger.received(3, 300)
  expect(ledger.isComplete).toBe(true)
})
