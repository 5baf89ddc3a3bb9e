import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError, silentLogger } from '@tandemmq/base'
import { DirectoryLock } from '@tandemmq/platform-node'

/** Whether a process has the store open. Makes no lock file where there is none, and keeps the lock for no longer than the question takes. */
export function isLocked(root: string): boolean {
  // Without Apache's mark of a running process nobody is at work, and a start must not stumble over the question.
  if (!existsSync(join(root, 'lock')) || !existsSync(join(root, 'abort'))) return false
  try {
    DirectoryLock.acquire(root, { logger: silentLogger }).release()
    return false
  } catch (failure) {
    if (failure instanceof BrokerError && failure.code === 'STORE_LOCKED') return true
    throw failure
  }
}
