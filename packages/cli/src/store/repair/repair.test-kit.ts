import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeFiles } from '@tandemmq/platform-node'
import { onTestFinished } from 'vitest'
import { openOwn } from '../own-store.test-kit.ts'
import { verifyStore } from '../verify.ts'
import type { LogRange } from './log-damage.ts'
import type { RangeSource } from './range-source.ts'
import { repairStore, type RepairReport } from './repair-store.ts'

export const files = new NodeFiles()
export const LOG = 'commitlog/00000000000000065536'

interface Wishes {
  readonly cut?: boolean
  readonly source?: RangeSource
  readonly yes?: boolean
  readonly range?: LogRange
}

export function repair(
  root: string,
  { cut = false, source, yes = true, range }: Wishes = {},
): Promise<RepairReport> {
  const options = {
    cut,
    nowMs: 1,
    queueFileBytes: 2000,
    confirm: () => Promise.resolve(yes),
    ...(source === undefined ? {} : { source }),
    ...(range === undefined ? {} : { range }),
  }
  return repairStore(
    files,
    root,
    options,
    () => {},
    () => {},
  )
}

export function copyOf(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'tandemmq-repair-'))
  onTestFinished(() => rmSync(copy, { recursive: true }))
  cpSync(root, copy, { recursive: true })
  return copy
}

export function change(root: string, path: string, edit: (bytes: Buffer) => void): void {
  const bytes = readFileSync(join(root, path))
  edit(bytes)
  writeFileSync(join(root, path), bytes)
}

export function problems(root: string): string[] {
  const lines: string[] = []
  verifyStore(files, root, (line) => lines.push(line))
  return lines.filter((line) => line.startsWith('problem'))
}

/** Bodies of a queue, read as a consumer reads them, by the store that a broker would open. */
export async function bodies(root: string, queueId: number): Promise<number[]> {
  const store = await openOwn(root)
  const queue = store.queue('orders', queueId)
  const read: number[] = []
  for (let at = queue?.minOffset ?? 0; at < (queue?.maxOffset ?? 0); at += 1) {
    const unit = queue?.unit(at)
    if (unit !== undefined) read.push(store.record(unit.offset, unit.size).body[0] ?? -1)
  }
  await store.close()
  return read
}

export function contents(root: string, directory: string): string {
  return readdirSync(join(root, directory), { recursive: true })
    .map(String)
    .filter((name) => statSync(join(root, directory, name)).isFile())
    .toSorted()
    .map((name) => ({ name, bytes: readFileSync(join(root, directory, name)) }))
    .filter(({ bytes }) => bytes.some((byte) => byte !== 0)) // Files prepared ahead may go.
    .map(({ name, bytes }) => `${name} ${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`)
    .join('\n')
}

export function top(root: string): string[] {
  return readdirSync(root).filter((entry) => entry !== 'abort' && entry !== 'diverged')
}

export const whole = (queueId: number): number[] =>
  Array.from({ length: 100 }, (_, index) => (3 * index + queueId) % 256)
