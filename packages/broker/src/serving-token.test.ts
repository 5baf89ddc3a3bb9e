import { expect, test } from 'vitest'
import { servingToken } from './serving-token.ts'

test('a call is answered under the epoch that is held, and only with that stamp or none (rule 4.3)', () => {
  let servingEpoch: number | undefined = 7
  const token = servingToken(() => ({ servingEpoch, isPromised: false, seenEpoch: 9 }))
  expect(token.check({})).toBe(7)
  expect(token.check({ servingEpoch: 7 })).toBe(7)
  const refused = expect.objectContaining({ code: 'NOT_SERVING', facts: { servingEpoch: 9 } })
  for (const other of [6, 8]) expect(() => token.check({ servingEpoch: other })).toThrow(refused)
  servingEpoch = undefined
  for (const call of [{}, { servingEpoch: 7 }]) expect(() => token.check(call)).toThrow(refused)
})

test('a gateway that does not know whether the epoch holds is answered by promise alone (rules 4.6, 4.8)', () => {
  let isPromised = false
  const token = servingToken(() => ({ servingEpoch: 7, isPromised, seenEpoch: 7 }))
  expect(() => token.check({ servingEpoch: 7, onPromise: true })).toThrow(
    expect.objectContaining({ code: 'NOT_SERVING' }),
  )
  isPromised = true
  expect(token.check({ servingEpoch: 7, onPromise: true })).toBe(7)
  expect(() => token.check({ servingEpoch: 6, onPromise: true })).toThrow()
})
