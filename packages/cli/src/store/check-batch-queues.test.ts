import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeFiles } from '@tandemmq/platform-node'
import { expect, test } from 'vitest'
import { GoldenDirectory } from './golden-directory.test-kit.ts'
import { fillOwn } from './own-store.test-kit.ts'
import { verifyStore } from './verify.ts'

const QUEUE = 'batchconsumequeue/GoldenInner/0/00000000000000000000'

function problems(root: string): string[] {
  const lines: string[] = []
  verifyStore(new NodeFiles(), root, (line) => lines.push(line))
  return lines.filter((line) => line.startsWith('problem'))
}

test('a flipped bit in any field of a genuine batch queue’s unit is told with its place', () => {
  using golden = new GoldenDirectory('store', /^batchconsumequeue/)
  expect(problems(golden.root)).toEqual([])
  const sound = readFileSync(join(golden.root, QUEUE))
  // The last eight bytes of a unit say nothing: the compacted offset, and what is reserved.
  for (let at = 46; at < 46 + 38; at += 1) {
    golden.damage(QUEUE, at, Buffer.from([(sound[at] ?? 0) ^ 0x02]))
    expect(problems(golden.root).join(), `byte ${at}`).toContain(`${QUEUE} at byte 46: `)
    golden.damage(QUEUE, at, sound.subarray(at, at + 1))
  }
})

test('a batch topic that has had plain messages only lacks no ordinary queue', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tandemmq-batches-'))
  const store = await fillOwn(root, 20, { isBatchTopic: (topic) => topic === 'orders' })
  await store.dispatched.reached(store.end)
  await store.close()
  expect(problems(root)).toEqual([])
  rmSync(join(root, 'batchconsumequeue'), { recursive: true })
  expect(problems(root).join()).toContain('the queue is missing')
  rmSync(root, { recursive: true })
})
