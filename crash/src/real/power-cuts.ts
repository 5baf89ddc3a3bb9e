import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SeededRandom } from '@tandemmq/testkit'
import { compiled } from './compiled.ts'
import { CrashCount } from './crash-count.ts'
import { liveOnce } from './life.ts'

const IMAGE_BYTES = 128 * 1024 * 1024
/** So many lives in one image, then another one. */
const LIVES_PER_IMAGE = 15

/**
 * Cuts the power of an ext4 file system in a loop image, under a writer, by the shutdown ioctl that drops its journal and all that is not on disk. What
 * was flushed must be there. Needs root, loop devices and a C compiler; throws without.
 */
export async function cutPower(count: number, random: SeededRandom): Promise<CrashCount> {
  const crashes = new CrashCount('power cut of ext4')
  const directory = mkdtempSync(join(tmpdir(), 'tandemmq-power-'))
  try {
    const goingDown = compiled('going-down', directory)
    for (let left = count; left > 0; left -= LIVES_PER_IMAGE) {
      await cutInOneImage(directory, goingDown, Math.min(left, LIVES_PER_IMAGE), crashes, random)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return crashes
}

async function cutInOneImage(
  directory: string,
  goingDown: string,
  lives: number,
  crashes: CrashCount,
  random: SeededRandom,
): Promise<void> {
  const image = join(directory, 'image')
  const mount = join(directory, 'mount')
  writeFileSync(image, '')
  truncateSync(image, IMAGE_BYTES)
  mkdirSync(mount, { recursive: true })
  run('mkfs.ext4', '-q', '-F', image)
  let flushed = 0
  for (let life = 0; life <= lives; life += 1) {
    const isLast = life === lives
    run('mount', '-o', 'loop', image, mount)
    try {
      let linesLeft = isLast ? Infinity : random.between(1, 500)
      const orders = {
        directory: `${mount}/store`,
        bootId: `boot-${life}`,
        acknowledged: flushed,
        flushEvery: random.between(1, 25),
        killAt: undefined,
        messagesMax: isLast ? 1 : 1_000_000,
      }
      const { found, ...told } = await liveOnce(orders, (_line, child) => {
        linesLeft -= 1
        if (linesLeft !== 0) return
        // A machine without power tells nobody of a sync that was still running.
        child.kill('SIGSTOP')
        while (child.exitCode === null && !isStopped(child.pid)) continue
        run(goingDown, mount)
        child.kill('SIGKILL')
      })
      // A life that ended before it had found anything was a crash of a recovery.
      if (life > 0 && (found !== undefined || isLast)) {
        const refusals = found === undefined ? told.refused.map((code) => `refused: ${code}`) : []
        crashes.note(flushed, found, [...told.broken, ...refusals])
      }
      flushed = Math.max(flushed, told.flushed)
    } finally {
      run('umount', mount)
    }
  }
}

function isStopped(pid: number | undefined): boolean {
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}
