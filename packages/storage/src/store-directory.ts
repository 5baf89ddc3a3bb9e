import { directoryOf, type Files } from '@tandemmq/base'
import { isForbidden } from './errno.ts'

/**
 * Makes what a store needs below `root`. Names that an earlier process made may not be durable yet, so they are synced
 * at every start.
 */
export async function makeStoreDirectories(files: Files, root: string): Promise<void> {
  const isNew = !files.exists(root)
  files.makeDirectory(`${root}/commitlog`)
  files.makeDirectory(`${root}/consumequeue`)
  await files.syncDirectory(root)
  try {
    await files.syncDirectory(directoryOf(root))
  } catch (failure) {
    // Others may have made it for us, in a place we cannot open.
    if (isNew || !isForbidden(failure)) throw failure
  }
}

/** Whether Apache's mark of a running process is there: then the last stop was not clean. */
export function isMarkedRunning(files: Files, root: string): boolean {
  return files.exists(`${root}/abort`)
}

export async function markRunning(files: Files, root: string): Promise<void> {
  if (isMarkedRunning(files, root)) return
  files.open(`${root}/abort`, 'create').close()
  await files.syncDirectory(root)
}

export async function markStopped(files: Files, root: string): Promise<void> {
  files.remove(`${root}/abort`)
  await files.syncDirectory(root)
}
