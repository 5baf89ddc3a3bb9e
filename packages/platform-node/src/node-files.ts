import * as fs from 'node:fs'
import type { Files, OpenFile, OpenMode } from '@tandemmq/base'
import { errnoOf } from './errno.ts'
import { NodeOpenFile } from './node-open-file.ts'

const flagsOf: Readonly<Record<OpenMode, string>> = { read: 'r', 'read-write': 'r+', create: 'wx+' }

/** The file system of this machine. Errors are passed on as node:fs gives them. */
export class NodeFiles implements Files {
  open(path: string, mode: OpenMode): OpenFile {
    return new NodeOpenFile(path, fs.openSync(path, flagsOf[mode]))
  }

  exists(path: string): boolean {
    return fs.existsSync(path)
  }

  list(directory: string): readonly string[] {
    try {
      return fs.readdirSync(directory).toSorted()
    } catch (failure) {
      if (errnoOf(failure) === 'ENOENT') return []
      throw failure
    }
  }

  makeDirectory(path: string): void {
    fs.mkdirSync(path, { recursive: true })
  }

  rename(from: string, to: string): void {
    fs.renameSync(from, to)
  }

  remove(path: string): void {
    fs.rmSync(path, { recursive: true, force: true })
  }

  /** On Windows, which has no such call, names are durable when the file system says so: nothing to do. */
  async syncDirectory(directory: string): Promise<void> {
    if (process.platform === 'win32') return
    const handle = await fs.promises.open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  space(path: string): { readonly free: number; readonly total: number } {
    const { bavail, blocks, bsize } = fs.statfsSync(path)
    return { free: bavail * bsize, total: blocks * bsize }
  }
}
