import { crc32 } from 'node:zlib'
import { LINEAGE_EPOCHS_MAX } from '@tandemmq/codec'
import type { Lineage } from '@tandemmq/codec'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { align, commonPoint, continuedLineage, isPrefixOf, refusalOfOrder } from './alignment.ts'
import type { LogView } from './replicated-log.ts'
import { LOG_ID, lineageOf } from './testing/memory-log.ts'

function log(end: number, lineage?: Lineage, begin = 0): LogView {
  const common = { begin, end, flushed: end, segmentBytes: 65536, checksum: () => crc32('') }
  return lineage === undefined ? common : { ...common, lineage }
}

/** `kind at` or `kind reason`. */
function verdict(master: LogView, slave: LogView): string {
  const alignment = align(master, slave)
  return `${alignment.kind} ${'at' in alignment ? alignment.at : alignment.refusal.reason}`
}

const e1 = lineageOf({ 1: 0 })
const e12 = lineageOf({ 1: 0, 2: 1000 })
const e13 = lineageOf({ 1: 0, 3: 1000 })
const e123 = lineageOf({ 1: 0, 2: 1000, 3: 1500 })

test('a master without an epoch keeps slaves waiting (rule 1.6)', () => {
  expect(verdict(log(0), log(0))).toBe('wait not-ready')
  expect(verdict(log(0, { logId: LOG_ID, epochs: [] }), log(0))).toBe('wait not-ready')
})

test("an empty slave of any kind starts at the master's minimum (rule 2.7)", () => {
  expect(verdict(log(900_000, e1, 65536), log(0))).toBe('copy-all 65536')
  expect(verdict(log(900, e1), log(131072, lineageOf({ 9: 0 }), 131072))).toBe('copy-all 0')
  expect(verdict(log(0, e1), log(0))).toBe('copy-all 0')
})

test('a prefix goes on at its end, whichever epoch it ends in', () => {
  expect(verdict(log(1200, e12), log(700, e1))).toBe('continue 700')
  expect(verdict(log(1200, e12), log(1000, e1))).toBe('continue 1000')
  expect(verdict(log(1200, e12), log(1100, e12))).toBe('continue 1100')
  expect(verdict(log(1200, e12), log(1200, e12))).toBe('continue 1200')
})

test('an epoch that got no bytes and was replaced is no divergence (rule 1.1)', () => {
  expect(verdict(log(1200, e13), log(1000, e12))).toBe('continue 1000')
  expect(verdict(log(1200, e13), log(900, e12))).toBe('continue 900')
})

test('the last 64 KiB below the common point are compared, as far as both hold them', () => {
  const far = lineageOf({ 1: 0, 2: 500_000 })
  expect(align(log(500_100, far), log(400_000, e1))).toMatchObject({
    compare: { from: 400_000 - 65536, to: 400_000 },
  })
  expect(align(log(500_100, far), log(400_000, e1, 399_000))).toMatchObject({ compare: { from: 399_000 } })
  expect(align(log(500_100, far, 390_000), log(400_000, e1))).toMatchObject({ compare: { from: 390_000 } })
  expect(align(log(500_100, far, 400_000), log(400_000, e1))).not.toHaveProperty('compare')
})

test('a cut takes an epoch newer than the slave’s last (rule 1.3)', () => {
  expect(verdict(log(1200, e12), log(1300, e1))).toBe('cut 1000')
  expect(verdict(log(1300, e13), log(1200, e12))).toBe('cut 1000')
  expect(verdict(log(1600, e123), log(1700, e12))).toBe('cut 1500')
})

test('ahead inside the same last epoch is refused, and says so', () => {
  expect(verdict(log(900, e1), log(1300, e1))).toBe('refuse slave-ahead')
})

test('before the first append of the new epoch a longer slave is waited for, not cut (rule 1.4)', () => {
  expect(verdict(log(1000, e12), log(1300, e1))).toBe('wait slave-ahead')
  expect(verdict(log(1001, e12), log(1300, e1))).toBe('cut 1000')
  // Rule 3.4: the operator has accepted the loss.
  expect(align(log(1000, e12), log(1300, e1), true)).toMatchObject({ kind: 'cut', at: 1000 })
})

test('where the operator gave up a log that lost all its bytes, a slave of that log starts over, by a newer epoch of that start only (rule 3.4)', () => {
  const e3 = lineageOf({ 3: 0 })
  const accepted = (slave: LogView, master = log(0, e3)): string => {
    const alignment = align(master, slave, true)
    return `${alignment.kind} ${'at' in alignment ? alignment.at : alignment.refusal.reason}`
  }
  expect(accepted(log(1300, e12))).toBe('start-over 0')
  expect(accepted(log(1300, e12, 600)), 'whatever of it has expired').toBe('start-over 0')
  expect(accepted(log(1300, e12), log(900, lineageOf({ 3: 0, 4: 500 })))).toBe('start-over 0')
  expect(accepted(log(70_000, e12), log(200_000, e3, 65536)), 'more than the slave had').toBe(
    'start-over 65536',
  )
  const order = { kind: 'start-over', at: 0, lineage: e3 } as const
  expect(refusalOfOrder(log(1300, e12), order)).toBeUndefined()

  expect(verdict(log(0, e3), log(1300, e12)), 'nobody gave it up').toBe('refuse not-our-lineage')
  const unaccepted = align(log(0, e3), log(1300, e12))
  expect('refusal' in unaccepted && unaccepted.refusal.words).toContain(
    'start the master once with acceptLoss=true',
  )
  const foreign = { ...e12, logId: 'f'.repeat(32) }
  expect(accepted(log(1300, foreign)), 'another log').toBe('refuse not-our-lineage')
  expect(refusalOfOrder(log(1300, foreign), order)?.words).toContain('not its own')
  expect(accepted(log(1300, e1), log(900, lineageOf({ 1: 0 }, 7))), 'two openers of one epoch').toBe(
    'refuse not-our-lineage',
  )
  expect(accepted(log(1300, lineageOf({ 1: 0, 5: 100 }))), 'it has followed a newer one').toBe(
    'refuse not-our-lineage',
  )
  expect(accepted(log(1300, lineageOf({ 2: 1000 }))), 'what was before is not known').toBe(
    'refuse not-our-lineage',
  )
  expect(accepted(log(1300, e12), log(900, lineageOf({ 3: 10 })))).toBe('refuse not-our-lineage')
})

test('a slave that has followed a newer master does not follow an old one', () => {
  expect(verdict(log(900, e1), log(1100, e12))).toBe('refuse slave-newer')
  expect(verdict(log(1000, e1), log(1000, e12))).toBe('refuse slave-newer')
})

test('another log, no log, no epoch in common: refused for the operator', () => {
  expect(verdict(log(900, e1), log(5, { logId: 'f'.repeat(32), epochs: e1.epochs }))).toBe(
    'refuse not-our-lineage',
  )
  expect(verdict(log(900, e1), log(5))).toBe('refuse not-our-lineage')
  expect(verdict(log(900, e1), log(5, lineageOf({ 1: 0 }, 7)))).toBe('refuse not-our-lineage')
})

test('too far behind: starts over where the master begins, since nothing of it is in doubt (rule 2.10)', () => {
  expect(verdict(log(900_000, lineageOf({ 1: 0, 2: 800_000 }), 65536), log(700, e1))).toBe('start-over 65536')
  expect(verdict(log(900_000, e1, 65536), log(700, e1))).toBe('start-over 65536')
  expect(verdict(log(900_000, e1, 65536), log(65536, e1))).toBe('continue 65536')
  // Bytes that differ are another matter, wherever they lie.
  expect(verdict(log(600, e1), log(700, e1))).toBe('refuse slave-ahead')
  expect(verdict(log(900_000, e13, 65536), log(1300, e1))).toBe('start-over 65536')
  expect(verdict(log(900_000, e1, 65536), log(1300, e12))).toBe('refuse slave-newer')
})

test('a slave starts over without a newer epoch only if it is too old, and a beginning of that log (rule 2.10)', () => {
  const order = (slave: LogView, at: number, lineage = e1) =>
    refusalOfOrder(slave, { kind: 'start-over', at, lineage })?.words ?? 'obeyed'
  expect(order(log(700, e1), 65536)).toBe('obeyed')
  expect(order(log(700, e1), 600)).toContain('has followed 1')
  expect(order(log(700, e12), 65536)).toContain('has followed 2')
  expect(order(log(1300, e12), 65536, e1)).toContain('has followed 2')
  const stranger = { logId: LOG_ID, epochs: [{ epoch: 1, start: 0, opener: 'f'.repeat(16) }] }
  expect(order(log(700, e1), 65536, stranger)).toContain('has followed 1')
  expect(isPrefixOf(log(700, e1), e12)).toBe(true)
  expect(isPrefixOf(log(1300, e1), e12)).toBe(false)
})

test('a slave obeys no cut without a newer epoch, of another log, or into what is common', () => {
  const slave = log(1300, e1)
  const order = (lineage: Lineage, at: number) =>
    refusalOfOrder(slave, { kind: 'truncate', at, lineage })?.words ?? 'obeyed'
  expect(order(e12, 1000)).toBe('obeyed')
  expect(order(e12, 999)).toContain('agree up to 1000')
  expect(order(e12, 1301)).toContain('agree up to 1000')
  expect(order(e1, 1000)).toContain('has followed 1')
  expect(order({ logId: 'f'.repeat(32), epochs: e12.epochs }, 1000)).toContain('not its own')
})

test('what no longer fits into a message stays known', () => {
  const all = Array.from({ length: LINEAGE_EPOCHS_MAX + 5 }, (_, i) => ({
    epoch: i + 1,
    start: i * 10,
    opener: 'ab'.repeat(8),
  }))
  const own = { logId: LOG_ID, epochs: all.slice(0, 100) }
  const received = { logId: LOG_ID, epochs: all.slice(-LINEAGE_EPOCHS_MAX) }
  expect(continuedLineage(own, received).epochs).toEqual(all)
  expect(continuedLineage(own, e1)).toEqual(e1)
})

/** Logs made by real histories: masters start, write, lose tails, and slaves copy what they copy. */
test('the common point is where two histories parted', () => {
  const step = fc.record({ bytes: fc.nat(50), lose: fc.nat(30) })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 8 }),
      fc.array(step, { maxLength: 8 }),
      fc.array(step, { maxLength: 8 }),
      (shared, a, b) => {
        const trunk = grow({ epochs: [], owners: [] }, shared)
        const one = grow(trunk, a)
        const other = grow(trunk, b)
        let common = 0
        while (
          common < Math.min(one.owners.length, other.owners.length) &&
          one.owners[common] === other.owners[common]
        )
          common += 1
        const point = commonPoint(
          lineageFrom(one),
          one.owners.length,
          lineageFrom(other),
          other.owners.length,
        )
        expect(point ?? 0).toBe(common)
      },
    ),
    { numRuns: 500 },
  )
})

interface History {
  readonly epochs: readonly { readonly epoch: number; readonly start: number; readonly opener: string }[]
  /** Who wrote each byte. */
  readonly owners: readonly string[]
}

let openers = 0

function grow(from: History, steps: readonly { bytes: number; lose: number }[]): History {
  let { epochs, owners } = from
  for (const { bytes, lose } of steps) {
    owners = owners.slice(0, Math.max(0, owners.length - lose))
    const start = owners.length
    const epoch = (epochs.at(-1)?.epoch ?? 0) + 1
    openers += 1
    const opener = openers.toString(16).padStart(16, '0')
    // An epoch that got no bytes, or lost them all, is replaced.
    epochs = [...epochs.filter((older) => older.start < start), { epoch, start, opener }]
    owners = [...owners, ...Array.from({ length: bytes }, () => opener)]
  }
  return { epochs, owners }
}

function lineageFrom(history: History): Lineage {
  return { logId: LOG_ID, epochs: history.epochs }
}
