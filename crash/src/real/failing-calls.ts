import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootId } from '@tandemmq/platform-node'
import type { SeededRandom } from '@tandemmq/testkit'
import { compiled } from './compiled.ts'
import { CrashCount } from './crash-count.ts'
import { liveOnce } from './life.ts'

/** Which call fails, and of how many first ones of its kind. */
const CALLS = [
  ['pwrite', 60],
  ['pwrite', 4],
  ['fdatasync', 10],
  ['fsync', 6],
  ['ftruncate', 4],
] as const
const PATHS = ['/commitlog', '/consumequeue', '/index', '/position', '/store'] as const
const ERRNOS = { EIO: 5, ENOSPC: 28 } as const
const MESSAGES = 250

/**
 * Lets one call of the system fail under each writer, with EIO or ENOSPC, some in the middle of a write. Nobody may be told more than is true, and a
 * start without the fault finds all that was acknowledged. Needs a C compiler; throws without.
 */
export async function failCalls(count: number, random: SeededRandom): Promise<CrashCount> {
  const crashes = new CrashCount('calls that fail (EIO, ENOSPC)')
  const directory = mkdtempSync(join(tmpdir(), 'tandemmq-failing-'))
  let failed = 0
  let refused = 0
  let fenced = 0
  try {
    const shim = compiled('failing-calls', directory, '-shared', '-fPIC')
    for (let attempt = 0; attempt < count; attempt += 1) {
      const store = `${directory}/store`
      const orders = {
        directory: store,
        bootId: bootId(),
        acknowledged: 0,
        flushEvery: random.between(1, 20),
        killAt: undefined,
        messagesMax: MESSAGES,
      }
      const [call, nthMax] = pick(CALLS, random)
      const code = random.chance(1, 2) ? 'EIO' : 'ENOSPC'
      const first = await liveOnce(orders, undefined, {
        LD_PRELOAD: shim,
        UV_USE_IO_URING: '0',
        FAIL_CALL: call,
        FAIL_PATH: pick(PATHS, random),
        FAIL_NTH: String(random.between(1, nthMax)),
        FAIL_ERRNO: String(ERRNOS[code]),
        ...(random.chance(1, 2) && { FAIL_SHORT: '1' }),
      })
      failed += first.failedCalls
      if (first.refused.length > 0) refused += 1
      if (first.refused.includes('LOG_FENCED')) fenced += 1
      const acknowledged = first.appended
      const second = await liveOnce({ ...orders, acknowledged, messagesMax: 3 })
      crashes.note(acknowledged, second.found, [...first.broken, ...second.broken])
      rmSync(store, { recursive: true, force: true })
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  process.stdout.write(
    `calls that failed: ${failed} under ${count} writers, of which ${refused} refused something and ${fenced} fenced their log\n`,
  )
  return crashes
}

function pick<T>(items: readonly T[], random: SeededRandom): T {
  const [item] = random.shuffled(items)
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}
