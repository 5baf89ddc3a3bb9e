import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dumpStore } from '../dump.ts'
import { GoldenDirectory, goldenNames } from '../golden-directory.test-kit.ts'
import { DonorStore } from './donor-store.ts'
import { change, contents, copyOf, files, problems, repair, top } from './repair.test-kit.ts'

describe.each(goldenNames)('the genuine Apache %s', (name) => {
  test('is repaired without a file of ours, and without a byte changed in its log', async () => {
    using golden = new GoldenDirectory(name, /^batchconsumequeue/)
    const root = copyOf(golden.root)
    const [queue = ''] = readdirSync(join(root, 'consumequeue')).filter((topic) => topic.startsWith('Golden'))
    const file = join(
      'consumequeue',
      queue,
      readdirSync(join(root, 'consumequeue', queue))[0] ?? '',
      '0'.repeat(20),
    )
    change(root, file, (bytes) => bytes.fill(7, 4, 9))
    change(root, 'commitlog/00000000000000000000', (bytes) => bytes.fill(0xee, 8, 10))
    // Behind the first entry: without that nothing says the shape of an index, and the broker makes a new one at its start.
    change(root, `index/${readdirSync(join(root, 'index'))[0]}`, (bytes) => bytes.fill(0, 480, 520))
    expect(problems(root)).not.toEqual([])
    const report = await repair(root, { source: new DonorStore(files, golden.root) })
    expect(report).toMatchObject({ isDone: true, remaining: [], left: [] })
    expect(contents(root, 'commitlog')).toBe(contents(golden.root, 'commitlog'))
    if (top(golden.root).includes('batchconsumequeue'))
      expect(contents(root, 'batchconsumequeue')).toBe(contents(golden.root, 'batchconsumequeue'))
    expect([...dumpStore(files, root, true, () => {})].map((line): unknown => JSON.parse(line))).toEqual(
      golden.expected.commitlog,
    )
    expect(top(root)).toEqual(top(golden.root))
  })
})
