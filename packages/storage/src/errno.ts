import { systemCodeOf } from '@tandemmq/base'

/** Whether the disk, or what we may use of it, is full: the one write error that may pass. */
export function isDiskFull(thrown: unknown): boolean {
  const code = systemCodeOf(thrown)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Whether the file system refuses the call to this user. */
export function isForbidden(thrown: unknown): boolean {
  const code = systemCodeOf(thrown)
  return code === 'EACCES' || code === 'EPERM'
}
