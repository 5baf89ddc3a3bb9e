import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SeededRandom } from '@tandemmq/testkit'
import { CrashCount } from './crash-count.ts'
import { Ext4Image, PowerSwitch, unmount } from './ext4-image.ts'
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
    const power = new PowerSwitch(directory)
    for (let left = count; left > 0; left -= LIVES_PER_IMAGE) {
      await cutInOneImage(directory, power, Math.min(left, LIVES_PER_IMAGE), crashes, random)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return crashes
}

async function cutInOneImage(
  directory: string,
  power: PowerSwitch,
  lives: number,
  crashes: CrashCount,
  random: SeededRandom,
): Promise<void> {
  const image = Ext4Image.make(join(directory, 'image'), IMAGE_BYTES)
  const mount = join(directory, 'mount')
  mkdirSync(mount, { recursive: true })
  let flushed = 0
  for (let life = 0; life <= lives; life += 1) {
    const isLast = life === lives
    image.mount(mount)
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
        if (linesLeft === 0) power.cut(mount, child)
      })
      // A life that ended before it had found anything was a crash of a recovery.
      if (life > 0 && (found !== undefined || isLast)) {
        const refusals = found === undefined ? told.refused.map((code) => `refused: ${code}`) : []
        crashes.note(flushed, found, [...told.broken, ...refusals])
      }
      flushed = Math.max(flushed, told.flushed)
    } finally {
      unmount(mount)
    }
  }
}
