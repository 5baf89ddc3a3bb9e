import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPosition } from '@tandemmq/storage'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OwnDirectory, openOwn } from '../own-store.test-kit.ts'
import { DonorStore } from './donor-store.ts'
import { LOG, bodies, change, contents, copyOf, files, repair, whole } from './repair.test-kit.ts'
import { repairStore } from './repair-store.ts'

let own: OwnDirectory
beforeAll(async () => {
  own = await OwnDirectory.closed()
})
afterAll(() => own[Symbol.dispose]())

/** Damage in the middle of the log, and what it is. */
const damages: readonly [string, (root: string) => void][] = [
  ['a body', (root) => change(root, LOG, (bytes) => bytes.fill(0xee, 700, 720))],
  ['a length', (root) => change(root, LOG, (bytes) => bytes.fill(0xee, 0, 2))],
  ['four sectors', (root) => change(root, LOG, (bytes) => bytes.fill(0, 1024, 3072))],
  ['a queue offset', (root) => change(root, LOG, (bytes) => bytes.fill(3, 26, 27))],
  [
    'a topic',
    (root) =>
      change(root, LOG, (bytes) => bytes.fill(0x41, bytes.indexOf('orders'), bytes.indexOf('orders') + 1)),
  ],
  ['a whole file', (root) => change(root, LOG, (bytes) => bytes.fill(0))],
  ['a file is gone', (root) => rmSync(join(root, LOG))],
  ['the first file is gone', (root) => rmSync(join(root, 'commitlog/00000000000000000000'))],
  ['the last file is gone', (root) => rmSync(join(root, 'commitlog/00000000000000131072'))],
  [
    'all of the end',
    (root) =>
      change(root, 'commitlog/00000000000000131072', (bytes) => bytes.fill(0xee, 10_000, 156_032 % 65_536)),
  ],
  ['a file is cut', (root) => truncateSync(join(root, LOG), 30_000)],
  ['the end of a file', (root) => change(root, LOG, (bytes) => bytes.fill(0xee, 64_000))],
]

describe('damaged bytes of the log come from another store', () => {
  test.each(damages)('%s', async (_what, damage) => {
    const root = copyOf(own.root)
    damage(root)
    const report = await repair(root, { source: new DonorStore(files, own.root) })
    expect(report).toMatchObject({ isDone: true, remaining: [], left: [] })
    for (const directory of ['commitlog', 'consumequeue']) {
      expect(contents(root, directory)).toBe(contents(own.root, directory))
    }
    for (const queueId of [0, 1, 2]) expect(await bodies(root, queueId)).toEqual(whole(queueId))
  })

  test('what was there is saved, and exactly the damaged record is fetched', async () => {
    const root = copyOf(own.root)
    change(root, LOG, (bytes) => bytes.fill(0xee, 700, 720))
    const damaged = readFileSync(join(root, LOG))
    const { steps } = await repair(root, { source: new DonorStore(files, own.root) })
    const [name] = readdirSync(join(root, 'diverged/repair-1/commitlog'))
    expect(steps[0]?.words).toBe(
      `fetch the log's bytes [66056, 66576) from the store in ${own.root}, check them, and put them in place (what lies there is saved to diverged/repair-1)`,
    )
    expect(name).toBe('00000000000000066056-66576')
    expect(readFileSync(join(root, 'diverged/repair-1/commitlog', name ?? ''))).toEqual(
      damaged.subarray(520, 1040),
    )
  })

  test('where only the operator knows that they differ: a header field, which has no checksum', async () => {
    const root = copyOf(own.root)
    change(root, LOG, (bytes) => bytes.fill(0x77, 520 + 40, 520 + 44)) // The time of birth.
    const source = new DonorStore(files, own.root)
    expect(await repair(root, { source })).toMatchObject({ steps: [] })
    const report = await repair(root, { source, range: { from: 66_100, to: 66_101 } })
    expect(report.steps[0]).toMatchObject({ kind: 'fetch', from: 66_056, to: 66_576 })
    expect(contents(root, 'commitlog')).toBe(contents(own.root, 'commitlog'))
  })

  test('but not from a store of another log, nor from one that is damaged in the same place', async () => {
    const root = copyOf(own.root)
    change(root, LOG, (bytes) => bytes.fill(0xee, 700, 720))
    using other = await OwnDirectory.closed()
    const before = contents(root, 'commitlog')
    await expect(repair(root, { source: new DonorStore(files, other.root) })).rejects.toThrow(
      'the other log is not the same one',
    )
    await expect(repair(root, { source: new DonorStore(files, copyOf(root)) })).rejects.toThrow(
      'what was fetched is no record at 66056 either',
    )
    const differing = copyOf(own.root)
    change(differing, LOG, (bytes) => bytes.fill(0xee, 2_000, 2_010))
    await expect(repair(root, { source: new DonorStore(files, differing) })).rejects.toThrow(
      'the logs differ behind the damage',
    )
    expect(contents(root, 'commitlog')).toBe(before)
  })
})

test.each([
  [
    'a record',
    (root: string) => change(root, LOG, (bytes) => bytes.fill(0xee, 0, 2)),
    'the commit log is damaged at 65536',
  ],
  ['a file', (root: string) => rmSync(join(root, LOG)), 'lacks the file 00000000000000065536'],
] as const)('a start that is refused for the loss of %s says what to type', async (_what, damage, words) => {
  const root = copyOf(own.root)
  damage(root)
  rmSync(join(root, 'consumequeue'), { recursive: true }) // So that all of the log is read.
  await expect(openOwn(root)).rejects.toThrow(words)
  await expect(openOwn(root)).rejects.toThrow(
    `to see what can be done about it: tandemmq store repair ${root}`,
  )
})

describe('giving up', () => {
  test('is never done unasked', async () => {
    const root = copyOf(own.root)
    change(root, LOG, (bytes) => bytes.fill(0xee, 700, 720))
    const before = contents(root, '.')
    const report = await repair(root)
    expect(report).toMatchObject({ isDone: false, steps: [] })
    expect(report.left.join()).toContain(
      'the log is damaged from 66056 on: say who has its bytes (--from-store DIR',
    )
    expect(contents(root, '.')).toBe(before)
  })

  test('names what is lost, saves it, and the next start knows', async () => {
    const root = copyOf(own.root)
    change(root, LOG, (bytes) => bytes.fill(0xee, 700, 720))
    const lost = readFileSync(join(root, LOG)).subarray(520)
    const report = await repair(root, { cut: true })
    expect(report).toMatchObject({ isDone: true, remaining: [], left: [] })
    expect(report.steps[0]?.words).toContain('cut the log at 66056; ')
    expect(report.steps[0]?.words).toContain(
      'Given up here, besides what is damaged: 173 messages: orders/1 58 (queue offsets 42 to 99)',
    )
    expect(readFileSync(join(root, 'diverged/repair-1/commitlog/00000000000000066056-131072'))).toEqual(lost)
    expect(readPosition(files, root).lossPossible).toBe(true)
    expect(await bodies(root, 1)).toEqual(whole(1).slice(0, 42))
    const store = await openOwn(root)
    expect(store.recovery).toMatchObject({ lossPossible: true, end: 66_056 })
    await store.close()
  })

  test('a record whose properties were hit with what follows goes too', async () => {
    const root = copyOf(own.root)
    change(root, LOG, (bytes) => bytes.fill(0, 1024, 3072))
    const { steps } = await repair(root, { cut: true })
    expect(steps[0]).toMatchObject({ kind: 'cut', at: 66_056 })
  })

  test('bytes behind the end are cut off without more words', async () => {
    const root = copyOf(own.root)
    const { cleanEnd = 0 } = readPosition(files, root)
    const path = `commitlog/${String(cleanEnd - (cleanEnd % 65_536)).padStart(20, '0')}`
    change(root, path, (bytes) => bytes.fill(0x5a, (cleanEnd % 65_536) + 100, (cleanEnd % 65_536) + 130))
    const report = await repair(root)
    expect(report.steps[0]?.words).toBe(
      `cut the log at ${cleanEnd}: there are no records behind; 130 bytes behind it are saved to diverged/repair-1`,
    )
    expect(report).toMatchObject({ isDone: true, remaining: [] })
    expect(readPosition(files, root).lossPossible).toBe(false)
    expect(contents(root, 'commitlog')).toBe(contents(own.root, 'commitlog'))
  })
})

test('a lost end is noted for the next start', async () => {
  const root = copyOf(own.root)
  rmSync(join(root, 'commitlog/00000000000000131072'))
  const report = await repair(root)
  expect(report).toMatchObject({ isDone: true, remaining: [] })
  expect(readPosition(files, root).lossPossible).toBe(true)
})

describe('a repair that stops at any step is finished by the next one', () => {
  test.each([1, 2, 3, 4])('before step %i', async (stopAt) => {
    const root = copyOf(own.root)
    change(root, LOG, (bytes) => bytes.fill(0, 1024, 3072))
    change(root, 'consumequeue/orders/1/00000000000000000000', (bytes) => bytes.fill(7, 40, 45))
    writeFileSync(join(root, 'checkpoint'), 'x')
    const source = new DonorStore(files, own.root)
    const options = { cut: false, nowMs: 1, confirm: () => Promise.resolve(true), source }
    const stopped = repairStore(
      files,
      root,
      options,
      () => {},
      (number) => {
        if (number === stopAt) throw new Error('killed')
      },
    )
    await expect(stopped).rejects.toThrow('killed')
    expect((await repair(root, { source })).remaining).toEqual([])
    for (const queueId of [0, 1, 2]) expect(await bodies(root, queueId)).toEqual(whole(queueId))
  })
})
