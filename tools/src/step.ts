import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

const running = new Set<ChildProcess>()

/** Sends a signal to the tools that run now. */
export function signalTools(signal: NodeJS.Signals): void {
  for (const child of running) child.kill(signal)
}

/** Runs a tool of the workspace with its output to the terminal; whether it ended well. */
export async function runTool(command: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  running.add(child)
  try {
    const [code]: unknown[] = await once(child, 'close')
    return code === 0
  } catch (failure) {
    process.stdout.write(`${command} could not be started: ${String(failure)}\n`)
    return false
  } finally {
    running.delete(child)
  }
}

/** Runs one named step of a check and says how it went. */
export async function step(name: string, run: () => Promise<boolean>): Promise<boolean> {
  const startedAt = performance.now()
  const isGood = await run()
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  process.stdout.write(`${isGood ? '✓' : '✗'} ${name} (${seconds} s)\n`)
  return isGood
}
