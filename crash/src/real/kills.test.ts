import { SeededRandom } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { killWriters } from './kills.ts'

test('what a killed process had acknowledged is there again', { timeout: 300_000 }, async () => {
  const crashes = await killWriters(6, new SeededRandom(1))
  const { failed } = crashes.report()
  expect(crashes.broken).toEqual([])
  expect(failed).toBe(0)
  expect(crashes.tried).toBeGreaterThanOrEqual(6)
  expect(crashes.acknowledged).toBeGreaterThan(100)
})
