import { beforeAll, expect, test } from 'vitest'
import type { PlannedFailure } from '@tandemmq/testkit'
import { history } from './broker-stores.ts'
import { failingRun } from './failing-disk.ts'
import type { FileImage } from './file-image.ts'

let image: FileImage
beforeAll(async () => {
  image = await history('closed')
})

const plans: readonly (readonly [PlannedFailure['call'], PlannedFailure['code']])[] = [
  ['write', 'ENOSPC'],
  ['truncate', 'ENOSPC'],
  ['rename', 'ENOSPC'],
  ['dataSync', 'ENOSPC'],
  ['syncDirectory', 'ENOSPC'],
  ['open', 'EMFILE'],
  ['dataSync', 'EIO'],
]

/** `npm run hostile -- files` tries every call, and disks that stay full. */
const STRIDE = 9

test.each(plans)(
  '%s fails with %s at the n-th call: typed, nothing acknowledged is lost, all goes on after',
  async (call, code) => {
    let nth = 1
    for (; nth < 2000; nth += STRIDE) {
      const run = await failingRun(image, { call, code, nth })
      if (!run.hasFailed) break
    }
    expect(nth).toBeGreaterThan(STRIDE)
  },
  120_000,
)

test.each([
  ['rename', 'ENOSPC', 20],
  ['dataSync', 'ENOSPC', 67],
  ['open', 'EMFILE', 43],
] as const)(
  'config files that could not be replaced for long are still ours: %s, %s from call %i on',
  async (call, code, nth) => {
    expect((await failingRun(image, { call, code, nth, forever: true })).hasFailed).toBe(true)
  },
)
