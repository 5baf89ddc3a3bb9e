import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'

export const goldenNames = ['store', 'store-crash', 'store-extra', 'store-5.3.3'] as const

/** A store that a genuine Apache wrote, unpacked into a directory of its own; see test/golden/README.md. */
export class GoldenDirectory implements Disposable {
  readonly root: string
  readonly expected: { readonly commitlog: readonly unknown[] }

  /** `more`: what to unpack besides what `verify` checks. */
  constructor(name: string, more?: RegExp) {
    this.root = mkdtempSync(join(tmpdir(), 'tandemmq-store-'))
    const manifest: { readonly files: readonly { path: string; size: number; stored: string }[] } =
      JSON.parse(golden(name, 'manifest.json').toString())
    for (const { path, size, stored } of manifest.files) {
      const isChecked = /^(commitlog|consumequeue|index|checkpoint|abort|config.*json$)/.test(path)
      if (path.endsWith('/') || !(isChecked || more?.test(path) === true)) continue
      const at = join(this.root, path)
      mkdirSync(dirname(at), { recursive: true })
      const packed = golden(name, `files/${path}${stored === 'gzip' ? '.gz' : ''}`)
      writeFileSync(at, stored === 'gzip' ? gunzipSync(packed) : packed)
      truncateSync(at, size)
    }
    this.expected = JSON.parse(golden(name, 'expected.json').toString())
  }

  /** Writes bytes over what a file has. */
  damage(path: string, at: number, bytes: Buffer): void {
    const file = openSync(join(this.root, path), 'r+')
    writeSync(file, bytes, 0, bytes.length, at)
    closeSync(file)
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true })
  }
}

function golden(name: string, path: string): Buffer {
  return readFileSync(
    new URL(`../../../../test/golden/${name}/${path.replaceAll('%', '%25')}`, import.meta.url),
  )
}
