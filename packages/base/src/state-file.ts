import { isNotTheContent, systemCodeOf } from './disk-error.ts'
import { BrokerError, messageOf } from './errors.ts'
import type { Files } from './files.ts'

/**
 * State files are never overwritten: a new one is written and synced beside the old one and takes its name; the old one
 * stays as `.bak`. Whatever a crash leaves, one whole version is there.
 * `keepFallback`: the present version is damaged and must not take the place of the fallback copy, which is not.
 */
export async function replaceStateFile(
  files: Files,
  path: string,
  content: Uint8Array,
  keepFallback = false,
): Promise<void> {
  const fresh = `${path}.tmp`
  files.remove(fresh)
  try {
    await writeWhole(files, fresh, content)
  } catch (failure) {
    // Half of it would only take room, of which there may be none.
    files.remove(fresh)
    throw failure
  }
  if (!keepFallback && files.exists(path)) files.rename(path, `${path}.bak`)
  files.rename(fresh, path)
  await files.syncDirectory(directoryOf(path))
}

async function writeWhole(files: Files, path: string, content: Uint8Array): Promise<void> {
  const file = files.open(path, 'create')
  try {
    file.write(content, 0)
    await file.dataSync()
  } finally {
    file.close()
  }
}

export interface StateFile<T> {
  readonly value: T
  /** The newest version was damaged, or is gone; `value` is an earlier one, its successor is unknown. */
  readonly isStale: boolean
}

/**
 * The newest version that `decode` accepts; `undefined` if there never was one.
 * `decode` throws for damaged content. Throws `STATE_FILE_CORRUPT` if there is only damage; `STORE_FOREIGN`, which `decode` throws for
 * what a newer version has written: an older copy of that is no fallback.
 */
export function readStateFile<T>(
  files: Files,
  path: string,
  decode: (content: Buffer) => T,
): StateFile<T> | undefined {
  const current = attempt(files, path, decode)
  if (current !== undefined && 'value' in current) return { value: current.value, isStale: false }

  // Between the two renames of a replacement, on which nobody relies yet, the name is missing and the copy is the newest. (What lies under the
  // temporary name then may be of any age.) Without a temporary name somebody has taken the file away.
  const isStale = current !== undefined || !files.exists(`${path}.tmp`)
  const fallback = attempt(files, `${path}.bak`, decode)
  if (fallback !== undefined && 'value' in fallback) return { value: fallback.value, isStale }
  const damage = current ?? fallback
  if (damage === undefined) return undefined // An unfinished first version was never relied on.
  const why = messageOf(damage.cause)
  throw new BrokerError('STATE_FILE_CORRUPT', `${path} is damaged and so is its fallback copy: ${why}`, {
    facts: { path, why },
    cause: damage.cause,
  })
}

function attempt<T>(
  files: Files,
  path: string,
  decode: (content: Buffer) => T,
): { readonly value: T } | { readonly cause: unknown } | undefined {
  let content: Buffer
  try {
    content = readWhole(files, path)
  } catch (cause) {
    if (isNotTheContent(cause)) throw cause
    return systemCodeOf(cause) === 'ENOENT' ? undefined : { cause }
  }
  try {
    return { value: decode(content) }
  } catch (cause) {
    if (cause instanceof BrokerError && cause.code === 'STORE_FOREIGN') {
      throw new BrokerError('STORE_FOREIGN', `${path}: ${cause.message}`, { facts: { path }, cause })
    }
    return { cause }
  }
}

/** No state file of the store is anywhere near this. */
const STATE_FILE_BYTES_MAX = 16 * 1024 * 1024

/** All bytes of a small file. */
export function readWhole(files: Files, path: string): Buffer {
  const file = files.open(path, 'read')
  try {
    const size = file.size()
    if (size > STATE_FILE_BYTES_MAX) {
      throw new BrokerError('STATE_FILE_CORRUPT', `${path} is larger than such a file can be`, {
        facts: { path, size },
      })
    }
    const content = Buffer.alloc(size)
    return content.subarray(0, file.read(content, 0))
  } finally {
    file.close()
  }
}

export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '.' : path.slice(0, Math.max(1, slash))
}
