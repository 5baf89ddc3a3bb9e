import { BrokerError, messageOf, type ErrorCode } from './errors.ts'

const OUT_OF_DESCRIPTORS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE'])
const PASSING: ReadonlySet<string> = new Set([...OUT_OF_DESCRIPTORS, 'ENOSPC', 'EDQUOT'])

/** The `code` of an error of the system (`ENOSPC`), if `thrown` is one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  const { code } = thrown
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

/** Whether the process, or the machine, has no file descriptor left: nothing was done, and it passes. */
export function isOutOfDescriptors(thrown: unknown): boolean {
  return OUT_OF_DESCRIPTORS.has(systemCodeOf(thrown) ?? '')
}

/**
 * Whether a file could not be read for a reason that says nothing about its content and that a copy of it would not mend: no descriptor is left, or a
 * directory has its name, which no new version could take.
 */
export function isNotTheContent(thrown: unknown): boolean {
  return isOutOfDescriptors(thrown) || systemCodeOf(thrown) === 'EISDIR'
}

/** Whether the failure lasts no longer than the want of room on the disk, or of file descriptors: what failed can be tried again. */
export function mayPass(thrown: unknown): boolean {
  if (thrown instanceof BrokerError) return thrown.code === 'DISK_FULL' || thrown.code === 'SYSTEM_BUSY'
  return PASSING.has(systemCodeOf(thrown) ?? '')
}

const SAYINGS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ['DISK_FULL', 'the disk is full: make room and start again'],
  EDQUOT: ['DISK_FULL', 'the quota of the disk is used up: make room and start again'],
  EMFILE: ['UNAVAILABLE', 'this process has no file descriptors left: raise its limit (ulimit -n)'],
  ENFILE: ['UNAVAILABLE', 'this machine has no file descriptors left'],
  EISDIR: ['STATE_FILE_CORRUPT', 'there is a directory where a file belongs: move it away'],
  EINVAL: ['STATE_FILE_CORRUPT', 'there is something where a plain file belongs: move it away'],
  ENOTDIR: ['STATE_FILE_CORRUPT', 'there is a file where a directory belongs: move it away'],
  EEXIST: ['STATE_FILE_CORRUPT', 'there is a file where a directory belongs: move it away'],
  ENOTEMPTY: ['STATE_FILE_CORRUPT', 'there is a directory where a file belongs: move it away'],
  ELOOP: ['STATE_FILE_CORRUPT', 'there is a link that leads nowhere'],
  EACCES: ['UNAVAILABLE', 'this user may not use it'],
  EPERM: ['UNAVAILABLE', 'this user may not use it'],
  EROFS: ['UNAVAILABLE', 'the file system can only be read'],
}

/**
 * What a failed call of the file system means for whoever starts a service: what is wrong, what to do, and the system's own words, which name the
 * file. Anything that is no error of the system is returned as it is.
 */
export function diskError(thrown: unknown): unknown {
  const code = systemCodeOf(thrown)
  if (code === undefined) return thrown
  const [ours, saying] = SAYINGS[code] ?? ['UNAVAILABLE', 'the disk does not do what it should']
  return new BrokerError(ours, `${saying} (${messageOf(thrown)})`, { cause: thrown, facts: { code } })
}
