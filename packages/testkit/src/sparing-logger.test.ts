import { SparingLogger } from '@tandemmq/base'
import { expect, test } from 'vitest'
import { RecordingLogger } from './recording-logger.ts'
import { SimulatedClock } from './simulated-clock.ts'

test('of many lines of one kind ten are written and the others counted, and each minute begins anew', async () => {
  const clock = new SimulatedClock()
  const written = new RecordingLogger()
  const logger = new SparingLogger(written, clock)
  for (let n = 0; n < 1_000; n++) logger.warn({ reason: 'x', peer: `p${n}` }, 'refused')
  logger.warn({ reason: 'y' }, 'refused')
  logger.error({}, 'broken')
  expect(written.messages('warn')).toHaveLength(11)
  expect(written.messages('error')).toEqual(['broken'])
  await clock.advance(60_000)
  expect(written.lines.slice(12)).toEqual([
    {
      level: 'warn',
      message: 'more lines of a kind were left out',
      facts: { line: 'refused', reason: 'x', count: 990, withinMs: 60_000 },
    },
  ])
  logger.warn({ reason: 'x' }, 'refused')
  expect(written.messages('warn').at(-1)).toBe('refused')
})

test('what goes on for a day is told every ten minutes at last, and as at first when it has calmed down', async () => {
  const clock = new SimulatedClock()
  const written = new RecordingLogger()
  const logger = new SparingLogger(written, clock)
  for (let n = 0; n < 24 * 60 * 30; n++) {
    logger.warn({ reason: 'wrong-secret', peer: `p${n}` }, 'refused')
    await clock.advance(2_000)
  }
  const { length } = written.lines
  expect(length).toBeGreaterThan(2 * 24 * 6)
  expect(length).toBeLessThan(2 * 24 * 6 + 30)
  const counted = written.lines.reduce((sum, { facts }) => sum + Number(facts['count'] ?? 1), 0)
  expect(24 * 60 * 30 - counted).toBeLessThanOrEqual(300)
  await clock.advance(3 * 600_000)
  for (let n = 0; n < 10; n++) logger.warn({ reason: 'wrong-secret' }, 'refused')
  expect(written.messages('warn').slice(-10)).toEqual(Array.from({ length: 10 }, () => 'refused'))
})

test('facts that a peer chose do not make kinds without end', async () => {
  const clock = new SimulatedClock()
  const written = new RecordingLogger()
  const logger = new SparingLogger(written, clock)
  for (let n = 0; n < 10_000; n++) logger.info({ reason: `reason ${n}` }, 'refused')
  expect(written.lines.length).toBeLessThan(120)
  await clock.advance(60_000)
  expect(written.lines.at(-1)?.facts).toEqual({ line: 'refused', count: 9_890, withinMs: 60_000 })
})
