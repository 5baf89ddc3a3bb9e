import { silentMeter } from '@tandemmq/base'
import { RecordingLogger } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { RetentionHold } from './retention-hold.ts'

const HOUR = 3_600_000

/** A master's view: what is connected where, who is in the roster, the log and the time. */
class Bench {
  readonly connected = new Map<string, number>()
  roster: string[] = []
  readonly log = { minOffset: 1000, end: 5000 }
  now = 0
  readonly logger = new RecordingLogger()
  readonly hold: RetentionHold

  constructor(roster: string[] = []) {
    this.roster = roster
    this.hold = new RetentionHold(
      { bytesMax: 10_000, timeMaxMs: HOUR },
      {
        connected: () =>
          [...this.connected].map(([identity, received]) => ({ peer: { identity }, received })),
        roster: () => this.roster,
        log: this.log,
        monotonic: () => this.now,
      },
      this.logger,
      silentMeter,
    )
  }

  held(onlyConnected = false): string {
    const held = this.hold.heldFor(onlyConnected)
    return held === undefined ? 'nobody' : `${held.identity} from ${held.from}`
  }
}

test('nothing is kept for nobody', () => {
  expect(new Bench().held()).toBe('nobody')
})

test('one of the roster that has not come since the start may need anything; others what they have not got (rule 2.10)', () => {
  const bench = new Bench(['a-1', 'a-2'])
  bench.connected.set('a-1', 4000)
  expect(bench.held()).toBe('a-2 from 1000')
  bench.connected.set('a-2', 3000)
  expect(bench.held()).toBe('a-2 from 3000')
  bench.connected.set('a-2', 4500)
  expect(bench.held()).toBe('a-1 from 4000')
})

test('where a slave was when it went is remembered, but not when the disk is nearly full', () => {
  const bench = new Bench(['a-1', 'a-2'])
  bench.connected.set('a-1', 3000).set('a-2', 4000)
  expect(bench.held()).toBe('a-1 from 3000')
  bench.connected.delete('a-1')
  bench.log.end = 9000
  expect(bench.held()).toBe('a-1 from 3000')
  expect(bench.held(true)).toBe('a-2 from 4000')
  bench.roster = ['a-2']
  expect(bench.held()).toBe('a-2 from 4000')
})

test('a stranger to the roster is waited for only while it is here', () => {
  const bench = new Bench()
  bench.connected.set('10.0.0.7', 2000)
  expect(bench.held()).toBe('10.0.0.7 from 2000')
  bench.connected.clear()
  expect(bench.held()).toBe('nobody')
})

test('who lacks too much, or gets nothing for too long, is named once and not waited for', () => {
  const bench = new Bench(['a-1'])
  bench.connected.set('a-1', 4000)
  expect(bench.held()).toBe('a-1 from 4000')
  bench.now = HOUR
  expect(bench.held()).toBe('a-1 from 4000')
  bench.now = HOUR + 1
  expect(bench.held()).toBe('nobody')
  expect(bench.held()).toBe('nobody')
  expect(bench.logger.lines.filter(({ facts }) => facts['identity'] === 'a-1')).toHaveLength(1)
  // It moves again.
  bench.connected.set('a-1', 4001)
  expect(bench.held()).toBe('a-1 from 4001')
  bench.log.end = 14_002
  expect(bench.held()).toBe('nobody')
  expect(bench.logger.lines).toHaveLength(2)
})

test('having all of a silent log is no reason to be given up', () => {
  const bench = new Bench(['a-1'])
  bench.connected.set('a-1', 5000)
  bench.held()
  bench.now = 3 * HOUR
  expect(bench.held()).toBe('a-1 from 5000')
  bench.connected.clear()
  bench.log.end = 5100
  expect(bench.held()).toBe('a-1 from 5000')
})
