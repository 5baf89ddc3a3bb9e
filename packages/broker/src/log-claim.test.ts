import type { Epoch, Lineage } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import { refusalOfClaim } from './log-claim.ts'

const LOG = '0'.repeat(32)

/** As `epoch@start`, each with an opener of its own; `epoch@start/x`: opened by somebody else. */
function lineageOf(text: string, logId = LOG): Lineage {
  const epochs = text.split(' ').map((word): Epoch => {
    const [, epoch = '', start = '', by = ''] = /^(\d+)@(\d+)(?:\/(\w+))?$/.exec(word) ?? []
    return { epoch: Number(epoch), start: Number(start), opener: `${epoch}${by}` }
  })
  return { logId, epochs }
}

describe('rule 4.7: a master judges the log of a slave that it does not reach', () => {
  test.each([
    ['the same', '1@0', 500, '1@0', 500],
    ['a beginning', '1@0', 300, '1@0', 500],
    ['a beginning, before an epoch that it has not heard of', '1@0', 300, '1@0 4@400', 500],
    ['a beginning up to where the master has opened one', '1@0', 400, '1@0 4@400', 500],
    [
      'the same with an epoch in which nothing was written, which the next has replaced',
      '1@0 2@400',
      400,
      '1@0 4@400',
      500,
    ],
    ['a beginning, with an epoch that begins behind its end', '1@0 4@400', 300, '1@0 4@400', 500],
    ['the end of the same, its beginning has expired', '3@200', 300, '1@0 3@200', 500],
    ['no log at all', undefined, 0, '1@0', 500],
  ])('%s is taken', (_what, slave, end, master, masterEnd) => {
    const lineage = slave === undefined ? {} : { lineage: lineageOf(slave) }
    const own = { lineage: lineageOf(master), end: masterEnd }
    expect(refusalOfClaim({ ...lineage, end, givesServing: true }, own)).toBeUndefined()
  })

  test.each([
    ['goes on beyond the master, which lost its tail', '1@0', 300, '1@0', 299],
    ['goes on where the master, which lost its tail, has opened another epoch', '1@0', 300, '1@0 4@200', 500],
    ['has an epoch of another opener', '1@0 2@200/x', 300, '1@0 2@200', 500],
    ['has no epoch in common', '7@0', 300, '9@0', 500],
  ])('what %s is not', (_what, slave, end, master, masterEnd) => {
    const own = { lineage: lineageOf(master), end: masterEnd }
    expect(refusalOfClaim({ lineage: lineageOf(slave), end, givesServing: true }, own)).toContain(
      `the slave's log goes on to ${end}`,
    )
  })

  test('nor is another log, one that has followed a newer master, or bytes that nobody knows the log of', () => {
    const own = { lineage: lineageOf('1@0'), end: 500 }
    const others = lineageOf('1@0', '1'.repeat(32))
    expect(refusalOfClaim({ lineage: others, end: 300, givesServing: true }, own)).toContain("the master's")
    expect(refusalOfClaim({ end: 300, givesServing: true }, own)).toContain('not known of which log')
    const newer = { lineage: lineageOf('1@0 5@300'), end: 300, givesServing: true }
    expect(refusalOfClaim(newer, { lineage: lineageOf('1@0 4@300'), end: 500 })).toContain('followed epoch 5')
    const none = { lineage: undefined, end: 0 }
    expect(refusalOfClaim({ lineage: lineageOf('1@0'), end: 300, givesServing: true }, none)).toBeDefined()
  })
})
