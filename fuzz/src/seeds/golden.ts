import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** Bytes of test/golden, which a genuine Apache RocketMQ wrote. Files of stores lie there without the zeros at their end. */
export function goldenFile(path: string): Buffer {
  const bytes = readFileSync(goldenPath(path))
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

/** Names in a directory of test/golden, sorted. */
export function goldenNames(directory: string): readonly string[] {
  return readdirSync(goldenPath(directory)).toSorted()
}

function goldenPath(path: string): string {
  return fileURLToPath(new URL(`../../../test/golden/${path.replaceAll('%', '%25')}`, import.meta.url))
}
