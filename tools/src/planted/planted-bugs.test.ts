import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../step.ts'
import { withBug } from './planted-bug.ts'
import { handBackBugs } from './hand-back.ts'
import { orderBugs } from './order.ts'
import { progressBugs } from './progress.ts'
import { replicationBugs } from './replication.ts'
import { storageBugs } from './storage.ts'
import { timerBugs } from './timers.ts'
import { toldSlavesBugs } from './told-slaves.ts'

test.each([
  ...storageBugs,
  ...replicationBugs,
  ...timerBugs,
  ...orderBugs,
  ...progressBugs,
  ...handBackBugs,
  ...toldSlavesBugs,
])('a bug can still be planted, and its tests are there: $name', ({ file, find, plant, tests }) => {
  const source = readFileSync(join(root, file), 'utf8')
  expect(withBug(source, { find, plant }), `${file} has the text exactly once`).toBeDefined()
  for (const path of tests) expect(existsSync(join(root, path)), path).toBe(true)
})
