import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { BrokerError, diskError, type Logger } from '@tandemmq/base'
import { errnoOf } from './errno.ts'

/** BSD's open flag that takes an exclusive flock(2) with the descriptor; macOS has it, Linux does not. */
const O_EXLOCK = 0x20
/** Exit code of `flock -n` when somebody else holds the lock. */
const HELD = 1

export interface DirectoryLockOptions {
  readonly logger: Logger
  /** The command that locks an inherited descriptor. */
  readonly command?: string
  readonly platform?: NodeJS.Platform
}

/**
 * The kernel's lock on `DIRECTORY/lock`: held as long as this process lives, released by the kernel however it ends.
 * The file stays; its existence means nothing.
 *
 * Linux: flock(2) through the util-linux (or busybox) command on a descriptor of ours that it inherits; the lock belongs to the
 * open file and outlives the command. macOS: O_EXLOCK. Where the command is missing: the fcntl(2) lock that SQLite takes.
 */
export class DirectoryLock {
  readonly directory: string
  readonly #release: () => void
  #held = true

  private constructor(directory: string, release: () => void) {
    this.directory = directory
    this.#release = release
  }

  /**
   * Creates the directory if needed. Throws `STORE_LOCKED`, naming the directory, if another process holds it, and what {@link diskError} says of a
   * directory that cannot be used.
   */
  static acquire(directory: string, options: DirectoryLockOptions): DirectoryLock {
    const path = join(directory, 'lock')
    try {
      mkdirSync(directory, { recursive: true })
      return DirectoryLock.#take(directory, path, options)
    } catch (failure) {
      throw diskError(failure)
    }
  }

  static #take(directory: string, path: string, options: DirectoryLockOptions): DirectoryLock {
    if ((options.platform ?? process.platform) === 'darwin') {
      return new DirectoryLock(directory, lockByOpening(directory, path))
    }
    const command = options.command ?? 'flock'
    const release = lockByCommand(directory, path, command)
    if (release !== undefined) return new DirectoryLock(directory, release)
    options.logger.warn(
      { directory, command },
      'the flock command is missing: the directory is locked through SQLite instead, which a process that has the command does not see',
    )
    return new DirectoryLock(directory, lockBySqlite(directory, `${path}.sqlite`))
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    this.#release()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

/** `undefined`: there is no such command. */
function lockByCommand(directory: string, path: string, command: string): (() => void) | undefined {
  const descriptor = openSync(path, 'a')
  const { status, error, stderr } = spawnSync(command, ['-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
  })
  if (status === 0) return () => closeSync(descriptor)
  closeSync(descriptor)
  if (errnoOf(error) === 'ENOENT') return undefined
  if (status === HELD) throw locked(directory)
  const why = error?.message ?? stderr.toString().trim()
  throw new BrokerError('STORE_LOCKED', `${directory} could not be locked: ${why}`, { facts: { directory } })
}

function lockByOpening(directory: string, path: string): () => void {
  try {
    const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | O_EXLOCK)
    return () => closeSync(descriptor)
  } catch (failure) {
    if (errnoOf(failure) === 'EAGAIN') throw locked(directory)
    throw failure
  }
}

/** SQLite's exclusive transaction is an fcntl(2) lock on the file; nothing is ever written. */
function lockBySqlite(directory: string, path: string): () => void {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (failure) {
    database.close()
    if (failure instanceof Error && failure.message.includes('locked')) throw locked(directory)
    throw failure
  }
  return () => database.close()
}

function locked(directory: string): BrokerError {
  return new BrokerError('STORE_LOCKED', `another process is using ${directory}`, { facts: { directory } })
}
