import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeFiles } from '@tandemmq/platform-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { filesIn } from './files-in.test-kit.ts'
import { GoldenDirectory } from './golden-directory.test-kit.ts'
import { StoredLog } from './stored-log.ts'
import { OwnDirectory, fillOwn } from './own-store.test-kit.ts'
import { verifyStore } from './verify.ts'

function verified(root: string): { readonly lines: string[]; readonly exitCode: number } {
  const lines: string[] = []
  const exitCode = verifyStore(new NodeFiles(), root, (line) => lines.push(line))
  return { lines: lines.slice(0, -1), exitCode }
}

/** A copy of a sound store, damaged and looked at. */
function damaged(sound: string, damage: (root: string) => void): ReturnType<typeof verified> {
  const root = mkdtempSync(join(tmpdir(), 'tandemmq-damage-'))
  try {
    cpSync(sound, root, { recursive: true })
    damage(root)
    return verified(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** A store with one file of another content; it is as before afterwards. `undefined`: without the file. */
function withContent(root: string, path: string, content: Buffer | undefined): ReturnType<typeof verified> {
  const before = readFileSync(join(root, path))
  try {
    if (content === undefined) rmSync(join(root, path))
    else writeFileSync(join(root, path), content)
    return verified(root)
  } finally {
    writeFileSync(join(root, path), before)
  }
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 0x11
  return copy
}

/** What nobody can see, and why; docs/store-tools.md tells the same. */
function whyBlind(root: string, path: string, at: number): string | undefined {
  if (path.startsWith('commitlog/')) return whyBlindInLog(root, Number(path.slice(10)) + at)
  if (path.startsWith('index/')) {
    const bytes = readFileSync(join(root, path))
    const entriesAt = bytes.length - (bytes.length === 2840 ? 120 * 20 : 200 * 20)
    const next = entriesAt + bytes.readInt32BE(36) * 20
    return at >= next + 20 || (at >= entriesAt && at < entriesAt + 20)
      ? 'an entry that is not in use'
      : undefined
  }
  if (path === 'checkpoint') return at < 48 ? 'an older checkpoint is a possible one' : undefined
  if (path.startsWith('config/')) return 'JSON has no checksum'
  if (!path.startsWith('consumequeue/')) return undefined
  const unit = readFileSync(join(root, path)).subarray(at - (at % 20), at - (at % 20) + 20)
  if (unit.readInt32BE(8) === 0) return at % 20 >= 12 ? 'behind the end' : undefined
  const isDueTime = path.includes('SCHEDULE_TOPIC_XXXX') || unit.readBigInt64BE(12) < -2_147_483_648n
  return isDueTime && at % 20 >= 12 ? 'a due time, or an address' : undefined
}

function whyBlindInLog(root: string, offset: number): string | undefined {
  using log = new StoredLog(new NodeFiles(), root)
  for (const piece of log.pieces()) {
    if (piece.kind === 'finding') continue
    const size = piece.kind === 'blank' ? piece.size : piece.bytes.length
    if (offset >= piece.offset + size) continue
    if (piece.kind === 'blank') return offset >= piece.offset + 8 ? 'unused' : undefined
    const { record } = piece
    const at = offset - piece.offset
    const propertiesAt = size - Buffer.byteLength(record.properties)
    if (at >= propertiesAt) return 'properties have no checksum'
    // Body and topic end here; between body CRC and body length, only places are known elsewhere.
    const bodyLengthAt = propertiesAt - 2 - Buffer.byteLength(record.topic) - 1 - record.body.length - 4
    if (at >= 16 && at < bodyLengthAt && !(at >= 20 && at < 36)) return 'the header has no checksum'
    const isQueued = (record.sysFlag & 12) === 0 || (record.sysFlag & 12) === 8
    const isPlace =
      (at >= 12 && at < 28) || (at >= bodyLengthAt + 4 + record.body.length && at < propertiesAt)
    if (isPlace && (!isQueued || record.topic === 'GoldenInner')) return 'a record that is in no queue'
    return undefined
  }
  return undefined
}

/** Every `step`-th byte, the first ones all. */
function* sample(bytes: number, head: number, step: number): Generator<number> {
  for (let at = 0; at < Math.min(head, bytes); at += 1) yield at
  for (let at = head; at < bytes; at += step) yield at
}

/** Where a file is damaged; in the genuine store, which has a hundred files, more sparsely. */
function samplesOf(root: string, path: string, sparse: number): Iterable<number> {
  const { size } = statSync(join(root, path))
  if (path.startsWith('commitlog/')) return sample(size, 3, 1789 * sparse)
  if (path.startsWith('index/')) return sample(size, 40 / sparse, 151 * sparse)
  if (path.startsWith('consumequeue/')) return sample(size, 2, 137 * sparse)
  if (path === 'checkpoint') return sample(size, 0, 517)
  return sample(size, 1, Math.max(17, Math.floor(size / 5)))
}

let own: OwnDirectory
let golden: GoldenDirectory
beforeAll(async () => {
  own = await OwnDirectory.closed()
  golden = new GoldenDirectory('store')
})
afterAll(() => {
  own[Symbol.dispose]()
  golden[Symbol.dispose]()
})

describe.each(['own', 'golden'] as const)('flipped bits in a store: %s', (which) => {
  test('are told with their file, or it is known why nobody can see them', { timeout: 120_000 }, () => {
    const root = which === 'own' ? own.root : golden.root
    expect(verified(root)).toEqual({ lines: [], exitCode: 0 })
    const unseen: string[] = []
    let seen = 0
    let blind = 0
    const paths = filesIn(root).filter((path) => !path.endsWith('/lock') && path !== 'abort.bak')
    for (const [number, path] of paths.entries()) {
      if (which === 'golden' && path.startsWith('consumequeue/') && number % 5 !== 0) continue
      const bytes = readFileSync(join(root, path))
      for (const at of samplesOf(root, path, which === 'golden' ? 8 : 4)) {
        const { lines } = withContent(root, path, flipped(bytes, at))
        if (lines.some((line) => path.startsWith('commitlog/') || line.includes(path))) seen += 1
        else if (whyBlind(root, path, at) === undefined) unseen.push(`${path} at ${at}`)
        else blind += 1
      }
    }
    expect(unseen).toEqual([])
    expect(seen).toBeGreaterThan(blind)
  })
})

/** Apache says nowhere where its log and its index began, nor where they ended. */
function isAtApachesEnds(root: string, path: string): boolean {
  if (root === own.root || path.startsWith('consumequeue/')) return false
  const alike = filesIn(root).filter((name) => name.startsWith(path.slice(0, path.indexOf('/'))))
  return path === alike[0] || path === alike.at(-1)
}

describe('files that are gone, cut, longer, exchanged or of another store', () => {
  const log = 'commitlog/00000000000000065536'

  test.each(['own', 'golden'] as const)('%s', { timeout: 60_000 }, (which) => {
    const root = which === 'own' ? own.root : golden.root
    const unseen: string[] = []
    const look = (what: string, path: string, named: string, content: Buffer | undefined): void => {
      const { lines, exitCode } = withContent(root, path, content)
      if (exitCode !== 1 || !lines.some((line) => line.includes(named))) unseen.push(`${what} ${path}`)
    }
    for (const [number, path] of filesIn(root).entries()) {
      // Copies are not missed, nor is what a stop writes again.
      if (path.endsWith('.bak') || path === 'abort') continue
      if (which === 'golden' && path.startsWith('consumequeue/') && number % 5 !== 0) continue
      const bytes = readFileSync(join(root, path))
      const isEmpty = bytes.every((byte) => byte === 0)
      const isMissed =
        !['checkpoint', 'lock', 'queueEnds'].includes(path) && !path.startsWith('config/') && !isEmpty
      if (isMissed && !isAtApachesEnds(root, path)) {
        const named = path.startsWith('commitlog/')
          ? 'commitlog'
          : path.startsWith('index/')
            ? 'index/'
            : path
        const isQueue = path.startsWith('consumequeue/')
        look('gone', path, isQueue ? path.slice(0, path.lastIndexOf('/')) : named, undefined)
      }
      if (isEmpty || path.startsWith('config/')) continue
      look('cut', path, path, bytes.subarray(0, Math.floor(bytes.length / 2) - 3))
      look('longer', path, path, Buffer.concat([bytes, Buffer.alloc(7, 7)]))
    }
    expect(unseen).toEqual([])
  })

  test('two segments exchanged', () => {
    for (const root of [own.root, golden.root]) {
      const { lines } = damaged(root, (copy) => {
        renameSync(join(copy, log), join(copy, 'x'))
        renameSync(join(copy, 'commitlog/00000000000000131072'), join(copy, log))
        renameSync(join(copy, 'x'), join(copy, 'commitlog/00000000000000131072'))
      })
      expect(lines[0]).toContain(
        `${log} at byte 0: no record and no blank can be read at log offset 65536 (wrong-offset)`,
      )
      expect(lines[1]).toContain('commitlog/00000000000000131072 at byte 0')
    }
  })

  test('a segment of another store', async () => {
    using other = new OwnDirectory()
    const store = await fillOwn(other.root, 250)
    await store.close()
    const { lines } = damaged(golden.root, (copy) => cpSync(join(other.root, log), join(copy, log)))
    expect(lines.join('\n')).toContain(
      '131072 at byte 0: the record at log offset 131072 has queue offset 28 in Golden',
    )
    expect(lines.join('\n')).toMatch(/the unit of queue offset \d+ points at \d+, where no record begins/)
  })

  test('bytes behind the end', () => {
    const at = Number(/log \[0, (\d+)\)/.exec(summary(own.root))?.[1])
    const path = `commitlog/${String(at - (at % 65_536)).padStart(20, '0')}`
    for (const behind of [0, 400]) {
      const { lines, exitCode } = damaged(own.root, (copy) => {
        const bytes = readFileSync(join(copy, path))
        bytes.fill(0x5a, (at % 65_536) + behind, (at % 65_536) + behind + 30)
        writeFileSync(join(copy, path), bytes)
      })
      expect(lines.join('\n')).toContain(`${path} at byte ${(at % 65_536) + behind}: `)
      expect(exitCode).toBe(1)
    }
  })
})

function summary(root: string): string {
  const lines: string[] = []
  verifyStore(new NodeFiles(), root, (line) => lines.push(line))
  return lines.at(-1) ?? ''
}
