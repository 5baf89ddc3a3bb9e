import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { cliCommand, environment } from './service-command.ts'

/** What a command of `tandemmq` left behind when it ended. */
export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `tandemmq` with `args` as a process of its own, as users do, until it ends. */
export async function tandemmq(...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(process.execPath, cliCommand(...args), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: typeof code === 'number' ? code : null, stdout, stderr }
}
