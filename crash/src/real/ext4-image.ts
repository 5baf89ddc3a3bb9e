import { execFileSync, type ChildProcess } from 'node:child_process'
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compiled } from './compiled.ts'

/** An ext4 file system in a file, which is mounted through a loop device. Needs root and `mkfs.ext4`; throws without. */
export class Ext4Image {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** A fresh one, sparse, of `bytes`. */
  static make(path: string, bytes: number): Ext4Image {
    writeFileSync(path, '')
    truncateSync(path, bytes)
    run('mkfs.ext4', '-q', '-F', path)
    return new Ext4Image(path)
  }

  mount(directory: string): void {
    run('mount', '-o', 'loop', this.path, directory)
  }
}

/** Takes it off; what is not on disk yet is written first, unless its power was cut. */
export function unmount(directory: string): void {
  run('umount', directory)
}

/** Cuts the power of the ext4 that a process writes to: its journal, and all that is not on disk, is lost (the shutdown ioctl). */
export class PowerSwitch {
  readonly #goingDown: string

  /** Compiles what it needs into `directory`. Throws without a C compiler. */
  constructor(directory: string) {
    this.#goingDown = compiled('going-down', directory)
  }

  /**
   * `directory`: where that file system is mounted, as this process sees it; it has to be mounted again. Where nothing is mounted (yet), the
   * writer is only killed: what lies there is another one's disk. `whileStopped`: what else goes with the power, before anybody sees the writer die.
   */
  cut(directory: string, writer: ChildProcess, whileStopped: () => void = () => {}): void {
    // A machine without power tells nobody of a sync that was still running.
    writer.kill('SIGSTOP')
    while (writer.exitCode === null && writer.signalCode === null && !isStopped(writer.pid)) continue
    whileStopped()
    if (isMountPoint(directory)) run(this.#goingDown, directory)
    writer.kill('SIGKILL')
  }
}

function isMountPoint(directory: string): boolean {
  return statSync(directory).dev !== statSync(join(directory, '..')).dev
}

function isStopped(pid: number | undefined): boolean {
  return /\) [TZ] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}
