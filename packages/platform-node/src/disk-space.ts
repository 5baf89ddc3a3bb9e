import { statfsSync } from 'node:fs'

/** What a file system has. */
export interface DiskSpace {
  readonly usedBytes: number
  /** For this user: what is kept for root does not count. */
  readonly freeBytes: number
}

/** Of the file system that `path` lies on; `undefined` if it does not say. */
export function diskSpace(path: string): DiskSpace | undefined {
  try {
    const { bsize, blocks, bfree, bavail } = statfsSync(path)
    return { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize }
  } catch {
    return undefined
  }
}
