import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootId } from '@tandemmq/platform-node'
import type { SeededRandom } from '@tandemmq/testkit'
import { CrashCount } from './crash-count.ts'
import { liveOnce } from './life.ts'

/** So many lives on one directory, then another one: a start reads more with each. */
const LIVES_PER_STORE = 12

/**
 * Kills writers: every other one at a counted call to the disk, in the middle of it where it is a write, the rest whenever it has told a drawn number of
 * lines. What `append` has returned must be there: the machine lives on.
 */
export async function killWriters(count: number, random: SeededRandom): Promise<CrashCount> {
  const crashes = new CrashCount('SIGKILL')
  for (let left = count; left > 0; left -= LIVES_PER_STORE) {
    const directory = mkdtempSync(join(tmpdir(), 'tandemmq-crash-'))
    try {
      await killInOneStore(`${directory}/store`, Math.min(left, LIVES_PER_STORE), crashes, random)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
  return crashes
}

async function killInOneStore(
  directory: string,
  lives: number,
  crashes: CrashCount,
  random: SeededRandom,
): Promise<void> {
  let acknowledged = 0
  for (let life = 0; life <= lives; life += 1) {
    const isLast = life === lives
    const isCounted = life % 2 === 0
    let linesLeft = isCounted ? Infinity : random.between(1, 400)
    const orders = {
      directory,
      bootId: bootId(),
      acknowledged,
      flushEvery: random.between(1, 30),
      killAt: isCounted && !isLast ? random.between(1, 200) : undefined,
      messagesMax: isLast ? 1 : 1_000_000,
    }
    const { found, appended, broken } = await liveOnce(orders, (_line, child) => {
      linesLeft -= 1
      if (linesLeft === 0 && !isLast) child.kill('SIGKILL')
    })
    // A life that was killed before it had found anything was a crash of a recovery.
    if (life > 0 && (found !== undefined || isLast)) crashes.note(acknowledged, found, broken)
    acknowledged = Math.max(acknowledged, appended)
  }
}
