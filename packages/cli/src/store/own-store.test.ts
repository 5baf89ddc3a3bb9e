import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeProperties } from '@tandemmq/codec'
import { NodeFiles } from '@tandemmq/platform-node'
import { expect, test } from 'vitest'
import { geometryOf } from './index-geometry.ts'
import { OwnDirectory, SENT, fillOwn } from './own-store.test-kit.ts'
import { verifyStore } from './verify.ts'

function problemsOf(root: string): { readonly problems: string[]; readonly last: string | undefined } {
  const lines: string[] = []
  verifyStore(new NodeFiles(), root, (line) => lines.push(line))
  return { problems: lines.filter((line) => line.startsWith('problem')), last: lines.at(-1) }
}

test('a store of ours is verified while it is open and after it was closed, and damage is told', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tandemmq-own-'))
  try {
    const store = await fillOwn(root)
    expect(problemsOf(root).problems).toEqual([])
    await store.dispatched.reached(store.end)
    expect(problemsOf(root).problems).toEqual([])
    await store.close()
    const { problems, last } = problemsOf(root)
    expect(problems).toEqual([])
    expect(last).toMatch(/300 records; 3 queues, 300 units; 4 index files, 600 entries; nothing wrong$/)

    const position = join(root, 'position')
    writeFileSync(position, readFileSync(position, 'utf8').replace('"flushed"', '"flushee"'))
    expect(problemsOf(root).problems.join()).toContain('position at byte 0: the file TandemMQ position 1')
    const log = join(root, 'commitlog/00000000000000065536')
    const bytes = readFileSync(log)
    bytes[300] = 0xff
    writeFileSync(log, bytes)
    expect(problemsOf(root).problems.join()).toContain(
      'commitlog/00000000000000065536 at byte 0: the body of',
    )
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('records longer than a window of what is read are whole, one after the other too', async () => {
  using own = new OwnDirectory()
  const MIB = 1024 * 1024
  const large = { segmentBytes: 16 * MIB, maxMessageBytes: 4 * MIB }
  const store = await fillOwn(own.root, 3, large)
  const message = { ...SENT, properties: encodeProperties([['KEYS', 'large']]) }
  for (const size of [3 * MIB, 2 * MIB + 1, 3 * MIB, 10, MIB - 50, 4 * MIB]) {
    store.append({ ...message, body: Buffer.alloc(size, 7) })
  }
  await store.flush()
  await store.close()
  const { problems, last } = problemsOf(own.root)
  expect(problems).toEqual([])
  expect(last).toContain('9 records; 3 queues, 9 units')
})

test('the shape of an index is found without the file that states it, though its log begins at 0', async () => {
  using own = new OwnDirectory()
  const store = await fillOwn(own.root, 1)
  await store.close()
  const [name = ''] = readdirSync(join(own.root, 'index'))
  // Slots that are not in use look like entries for the record at 0.
  expect(geometryOf(new NodeFiles(), join(own.root, 'index', name))).toEqual({ slots: 50, entries: 200 })
})
