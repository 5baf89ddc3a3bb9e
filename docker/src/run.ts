import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

/** A command that ended badly, with what it said. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** What a command prints, without the line break at its end. Throws {@link CommandFailed}. */
export function output(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return stdout.trimEnd()
  const why = error?.message ?? `${stdout}${stderr}`.trim()
  throw new CommandFailed(`${[command, ...args].join(' ')}: ${why}`)
}

/** Runs a command with its output to the terminal. Throws {@link CommandFailed}. */
export function run(
  command: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): void {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  })
  if (status === 0) return
  throw new CommandFailed(`${[command, ...args].join(' ')}: ${error?.message ?? `ended with code ${status}`}`)
}
