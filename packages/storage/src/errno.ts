/** The `code` of an error of the file system (`ENOSPC`), if `thrown` is one. */
export function errnoOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}

/** Whether the disk, or what we may use of it, is full: the one write error that may pass. */
export function isDiskFull(thrown: unknown): boolean {
  const code = errnoOf(thrown)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Whether the file system refuses the call to this user. */
export function isForbidden(thrown: unknown): boolean {
  const code = errnoOf(thrown)
  return code === 'EACCES' || code === 'EPERM'
}
