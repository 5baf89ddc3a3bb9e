import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeFiles } from '@tandemmq/platform-node'
import { describe, expect, test } from 'vitest'
import { dumpStore } from './dump.ts'
import { GoldenDirectory, goldenNames } from './golden-directory.test-kit.ts'
import { verifyStore } from './verify.ts'

function verified(root: string): { readonly lines: string[]; readonly exitCode: number } {
  const lines: string[] = []
  const exitCode = verifyStore(new NodeFiles(), root, (line) => lines.push(line))
  return { lines, exitCode }
}

/** Names, lengths, times of change and contents of all files. */
function fingerprint(directory: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(directory, { recursive: true }).map(String).toSorted()) {
    const path = join(directory, name)
    const { size, mtimeMs } = statSync(path)
    hash.update(`${name} ${size} ${mtimeMs}`)
    if (statSync(path).isFile()) hash.update(readFileSync(path))
  }
  return hash.digest('hex')
}

describe.each(goldenNames)('the genuine Apache %s', (name) => {
  test('is dumped in the words of Apache’s own decoder', () => {
    using store = new GoldenDirectory(name)
    const before = fingerprint(store.root)
    const findings: string[] = []
    const lines = [...dumpStore(new NodeFiles(), store.root, true, ({ what }) => findings.push(what))]
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(store.expected.commitlog)
    expect(findings).toEqual([])
    const text = [...dumpStore(new NodeFiles(), store.root, false, () => {})]
    expect(text).toHaveLength(lines.length)
    expect(text[0]).toMatch(/^0 2026-11-22T.*UNIQ_KEY=/)
    expect(fingerprint(store.root)).toBe(before)
  })

  test('is verified, and nothing is touched', () => {
    using store = new GoldenDirectory(name)
    const before = fingerprint(store.root)
    const { lines, exitCode } = verified(store.root)
    expect(lines.filter((line) => line.startsWith('problem'))).toEqual([])
    expect(lines.at(-1)).toMatch(/nothing wrong$/)
    expect(exitCode).toBe(0)
    expect(fingerprint(store.root)).toBe(before)
  })
})

describe('what is wrong is told with its place', () => {
  const log = 'commitlog/00000000000000065536'
  const queue = 'consumequeue/GoldenNormal/0/00000000000000000000'
  const index = 'index/20261122162722249'
  test.each([
    [
      'a body',
      log,
      100,
      /^problem: commitlog\/0+65536 at byte 0: the body of the record at log offset 65536 has another checksum/,
    ],
    [
      'a length',
      log,
      0,
      /^problem: commitlog\/0+65536 at byte 0: no record and no blank can be read at log offset 65536/,
    ],
    [
      'the place in a unit',
      queue,
      20 + 6,
      /^problem: consumequeue\/GoldenNormal\/0\/0+ at byte 20: the unit of queue offset 1 points at/,
    ],
    [
      'the size in a unit',
      queue,
      11,
      /at byte 0: the unit of queue offset 0 says \d+ bytes, the record at 0 has 222/,
    ],
    ['the tags code in a unit', queue, 19, /at byte 0: the unit of queue offset 0 has tags code/],
    [
      'a key hash',
      index,
      440 + 20 * 5 + 3,
      /^problem: index\/\d+ at byte 540: entry 5 has key hash \d+, which no key of the record/,
    ],
    ['a link', index, 440 + 20 * 60 + 19, /^problem: index\/\d+ at byte 1656: entry 60 is chained to entry/],
    ['a slot', index, 43, /^problem: index\/\d+ at byte 40: slot 0 leads to entry/],
    ['the checkpoint', 'checkpoint', 3, /^problem: checkpoint at byte 0: physicMsgTimestamp is/],
  ] as const)('%s', (_what, path, at, expected) => {
    using store = new GoldenDirectory('store')
    const before = readFileSync(join(store.root, path))[at] ?? 0
    store.damage(path, at, Buffer.from([before ^ 0x11]))
    const { lines, exitCode } = verified(store.root)
    expect(lines.filter((line) => line.startsWith('problem')).join('\n')).toMatch(
      new RegExp(expected.source, 'm'),
    )
    expect(exitCode).toBe(1)
  })

  test('a missing file of the log, and one of another length', () => {
    using store = new GoldenDirectory('store')
    rmSync(join(store.root, log))
    truncateSync(join(store.root, 'commitlog/00000000000000131072'), 60_000)
    const { lines } = verified(store.root)
    expect(lines[0]).toContain('00000000000000065536 is missing')
    expect(lines.join('\n')).toContain('the file has 60000 bytes instead of 65536')
  })

  test('a directory that is no store', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tandemmq-no-store-'))
    expect(() => verified(directory)).toThrow('is no store')
    rmSync(directory, { recursive: true })
  })
})
