import * as fs from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { isOutOfDescriptors, type Files, type OpenFile, type OpenMode } from '@tandemmq/base'
import { errnoOf } from './errno.ts'
import { NodeOpenFile } from './node-open-file.ts'

/** Opening a pipe does not wait for whoever writes into it; means nothing for plain files. (Windows has no such flag.) */
const NO_WAITING = fs.constants.O_NONBLOCK ?? 0

const flagsOf: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY | NO_WAITING,
  'read-write': fs.constants.O_RDWR | NO_WAITING,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
}

/** How long a sync of a directory waits for a file descriptor, and how often it looks, ms. */
const DESCRIPTOR_WAIT_MS = 30_000
const DESCRIPTOR_LOOK_MS = 20

/** The file system of this machine. Errors are passed on as node:fs gives them. */
export class NodeFiles implements Files {
  /** Links are followed. What is no plain file is refused: `EISDIR`, or `EINVAL` for pipes, sockets and devices, which have no length. */
  open(path: string, mode: OpenMode): OpenFile {
    const descriptor = fs.openSync(path, flagsOf[mode])
    const kind = fs.fstatSync(descriptor)
    if (kind.isFile()) return new NodeOpenFile(path, descriptor)
    fs.closeSync(descriptor)
    const code = kind.isDirectory() ? 'EISDIR' : 'EINVAL'
    throw Object.assign(new Error(`${code}: no plain file, open '${path}'`), { code, path, syscall: 'open' })
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
    const handle = await openPatiently(directory)
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

/** Without a descriptor nothing has been tried yet, so nothing is lost by waiting; a failed sync would be final. */
async function openPatiently(directory: string): Promise<fs.promises.FileHandle> {
  for (let waited = 0; ; waited += DESCRIPTOR_LOOK_MS) {
    try {
      return await fs.promises.open(directory, 'r')
    } catch (failure) {
      if (!isOutOfDescriptors(failure) || waited >= DESCRIPTOR_WAIT_MS) throw failure
    }
    await delay(DESCRIPTOR_LOOK_MS)
  }
}
