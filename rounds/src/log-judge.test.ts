import { expect, test } from 'vitest'
import type { Stored } from './log-copy.ts'
import { logViolations, lostFrom } from './log-judge.ts'
import { bodyOf, numberOf } from './numbered-message.ts'
import { Sends, type Fate } from './sends.ts'

function sendsOf(...fates: readonly Fate[]): Sends {
  const sends = new Sends()
  for (const fate of fates) sends.settle(sends.begin(0), fate)
  return sends
}

function queueOf(...numbers: readonly (number | undefined)[]): readonly Stored[] {
  return numbers.map((number, queueOffset) => ({ number, queueId: 0, queueOffset }))
}

test('what was acknowledged and is in no log is lost; what was not may be there or not', () => {
  const sends = sendsOf('acknowledged', 'unknown', 'acknowledged', 'unknown')
  expect(lostFrom(queueOf(1, 2), sends)).toEqual([3])
  expect(logViolations(queueOf(1, 2), sends)).toEqual([])
})

test('a log has nothing twice, nothing refused, nothing unknown, nothing before what its lane had acknowledged earlier', () => {
  const sends = sendsOf('acknowledged', 'refused', 'acknowledged', 'unknown')
  expect(logViolations(queueOf(1, 3, 4), sends)).toEqual([])
  // A send whose fate is unknown may be late.
  expect(logViolations(queueOf(4, 1, 3), sends)).toEqual([])
  expect(logViolations(queueOf(3, 1), sends)).toEqual(['message 1 of lane 0 lies behind message 3'])
  expect(logViolations(queueOf(1, 1), sends)).toEqual(['message 1 is in the log twice'])
  expect(logViolations(queueOf(1, 2), sends)).toEqual(['message 2 was refused and is in the log'])
  expect(logViolations(queueOf(1, undefined, 9), sends)).toHaveLength(2)
  expect(logViolations([{ number: 1, queueId: 0, queueOffset: 1 }], sends)).toEqual([
    'queue 0: message 1 has offset 1, not 0',
  ])
})

test('a body tells its number only if it is whole', () => {
  expect([1, 20, 4_711].map((number) => numberOf(bodyOf(number)))).toEqual([1, 20, 4_711])
  const torn = bodyOf(4_711)
  torn[torn.length - 1] = 0
  expect([torn, Buffer.alloc(0), Buffer.from('0 '), bodyOf(12).subarray(1)].map(numberOf)).toEqual(
    Array.from({ length: 4 }, () => undefined),
  )
})
