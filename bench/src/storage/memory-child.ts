import { messagesOf } from './messages.ts'
import { openMaster, openStore } from './store-stand.ts'
import { residentMb } from '../process-usage.ts'

/**
 * Writes so much log into a directory in a process of its own, and says what that process has resident:
 * memory-child.ts DIRECTORY write|open BYTES
 */
const [root = '', what = '', bytes = '0'] = process.argv.slice(2)
const alive = setInterval(() => undefined, 60_000)
let peakMb = 0
{
  await using store = what === 'write' ? await openMaster(root) : await openStore(root)
  if (what === 'write') {
    const make = messagesOf(1024)
    for (let n = 0; store.end < Number(bytes); n += 1) {
      store.append(make(n))
      if (n % 64 === 0) await store.dispatched.reached(store.end)
      if (n % 4096 === 0) {
        // Others get their turn, as in a broker.
        await new Promise<void>((resolve) => setImmediate(resolve))
        peakMb = Math.max(peakMb, residentMb(process.pid))
      }
    }
  }
  const endMb = residentMb(process.pid)
  process.stdout.write(`${JSON.stringify({ endMb, peakMb: Math.max(peakMb, endMb) })}\n`)
}
clearInterval(alive)
