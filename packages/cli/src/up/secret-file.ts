import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Random } from '@tandemmq/base'

/** Writes a fresh secret (32 random bytes as hex) that only this user can read, unless the file is there already. */
export function ensureSecretFile(path: string, random: Random): void {
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true })
  const half = `${path}.new`
  writeFileSync(half, `${random.bytes(32).toString('hex')}\n`, { mode: 0o600 })
  renameSync(half, path)
}
