import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { WriterOrders } from './writer-orders.ts'

/** What one writer process has told in its life. */
export interface Life {
  /** Messages that it found; `undefined`: it could not open the store, or died before it had. */
  readonly found: number | undefined
  /** In all, as acknowledged without waiting for the disk, and with. */
  readonly appended: number
  readonly flushed: number
  /** Codes of what was refused. */
  readonly refused: readonly string[]
  readonly broken: readonly string[]
  /** Calls that were made to fail, in their order among all lines. */
  readonly failedCalls: number
}

const writer = fileURLToPath(new URL('writer-main.ts', import.meta.url))

/** Runs a writer until it ends, one way or another. `onLine` may kill it. */
export async function liveOnce(
  orders: WriterOrders,
  onLine: (line: string, child: ChildProcess) => void = () => {},
  env: NodeJS.ProcessEnv = {},
): Promise<Life> {
  const child = spawn(process.execPath, ['--conditions=@tandemmq/source', writer, JSON.stringify(orders)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const counts = { appended: 0, flushed: 0 }
  let found: number | undefined
  let failedCalls = 0
  const refused: string[] = []
  const broken: string[] = []
  const errors: Buffer[] = []
  child.stderr.on('data', (piece: Buffer) => errors.push(piece))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  for await (const line of createInterface({ input: child.stdout })) {
    const [kind, what] = splitOnce(line)
    if (kind === 'found') found = Number(what)
    else if (kind === 'appended') counts.appended = Number(what)
    else if (kind === 'flushed') {
      counts.flushed = Number(what)
      if (failedCalls > 0 && refused.includes('LOG_FENCED')) broken.push(`flushed ${what} behind a fence`)
    } else if (kind === 'refused') refused.push(what)
    else if (kind === 'broken') broken.push(what)
    else if (kind === 'failed') failedCalls += 1
    onLine(line, child)
  }
  await ended
  if (found === undefined && child.exitCode !== 0 && child.signalCode === null) {
    broken.push(`the writer ended with ${child.exitCode}: ${Buffer.concat(errors).toString().slice(-500)}`)
  }
  return { found, ...counts, refused, broken, failedCalls }
}

function splitOnce(line: string): readonly [string, string] {
  const at = line.indexOf(' ')
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
}
