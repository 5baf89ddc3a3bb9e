import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Something on this machine is missing; the message is for the person who runs the tests. */
export class ToolMissing extends Error {
  override readonly name = 'ToolMissing'
}

/** The path of a program of the Java development kit, or of Maven. Throws {@link ToolMissing}. */
export function javaTool(name: 'java' | 'javac' | 'mvn'): string {
  const home = process.env['JAVA_HOME']
  const directories = [
    ...(home === undefined || name === 'mvn' ? [] : [join(home, 'bin')]),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ]
  const found = directories.map((directory) => join(directory, name)).find((path) => existsSync(path))
  if (found !== undefined) return found
  const what = name === 'mvn' ? 'Maven (mvn)' : `a Java development kit (${name}, 17 or newer)`
  throw new ToolMissing(`${what} is missing. On Debian and Ubuntu, apache/setup installs it.`)
}

/** Runs a tool to its end; throws with what it printed if it fails, `ToolMissing` if it is not there. */
export function runTool(path: string, args: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(path, args, { encoding: 'utf8' })
  if (error !== undefined) throw new ToolMissing(`${path} could not be run: ${error.message}`)
  if (status === 0) return
  throw new Error(`${path} ${args.join(' ')} ended with ${String(status)}:\n${stdout}${stderr}`)
}
