import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BrokerError } from './errors.ts'
import { Frontier } from './frontier.ts'

/** Lets every promise that is already settled be seen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
}

describe('a frontier', () => {
  test('wakes exactly those it passes, whatever the order of waits, advances and cancellations', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('wait' as const), until: fc.nat(50) }),
      fc.record({ kind: fc.constant('advance' as const), by: fc.nat(9) }),
      fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(30) }),
      fc.record({ kind: fc.constant('advance-and-cancel' as const), by: fc.nat(9), which: fc.nat(30) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const frontier = new Frontier(0)
        const waits: { until: number; abort: AbortController; expected: string; seen: string }[] = []
        let at = 0
        const advance = (by: number): void => {
          at += by
          frontier.advance(at)
          for (const wait of waits)
            if (wait.expected === 'pending' && wait.until <= at) wait.expected = 'reached'
        }
        const cancel = (which: number): void => {
          const wait = waits[which]
          if (wait === undefined) return
          wait.abort.abort(new Error('cancelled'))
          if (wait.expected === 'pending') wait.expected = 'cancelled'
        }
        for (const it of steps) {
          if (it.kind === 'wait') {
            const wait = {
              until: it.until,
              abort: new AbortController(),
              expected: 'pending',
              seen: 'pending',
            }
            if (it.until <= at) wait.expected = 'reached'
            frontier.reached(it.until, wait.abort.signal).then(
              () => (wait.seen = 'reached'),
              () => (wait.seen = 'cancelled'),
            )
            waits.push(wait)
          } else if (it.kind === 'advance') advance(it.by)
          else if (it.kind === 'cancel') cancel(it.which)
          else {
            advance(it.by)
            cancel(it.which)
          }
        }
        await settle()
        expect(waits.map((wait) => wait.seen)).toEqual(waits.map((wait) => wait.expected))
        expect(frontier.isAwaited).toBe(waits.some((wait) => wait.expected === 'pending'))
      }),
    )
  })

  test('that failed tells everyone, those who wait and those who come later, and moves no more', async () => {
    const frontier = new Frontier(10)
    const waiting = frontier.reached(20)
    const reason = new BrokerError('LOG_FENCED', 'the disk said no')
    frontier.fail(reason)
    frontier.advance(30)
    await expect(waiting).rejects.toBe(reason)
    await expect(frontier.reached(15)).rejects.toBe(reason)
    expect(frontier.at).toBe(10)
  })

  test('refuses one waiter too many instead of growing', async () => {
    const frontier = new Frontier(0, 2)
    const held = [frontier.reached(1), frontier.reached(1)]
    await expect(frontier.reached(1)).rejects.toMatchObject({ code: 'SYSTEM_BUSY' })
    frontier.advance(1)
    await Promise.all(held)
  })

  test('never moves backwards', () => {
    expect(() => new Frontier(5).advance(4)).toThrow('never moves backwards')
  })
})
