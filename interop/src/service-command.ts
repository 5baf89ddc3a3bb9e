import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))

/** From a checkout the sources run as they are. */
const isSource = import.meta.url.endsWith('.ts')
const condition = isSource ? ['--conditions=@tandemmq/source'] : []
const main = isSource ? 'src/main.ts' : 'dist/main.js'

export const environment = {
  ...process.env,
  NODE_COMPILE_CACHE: join(REPOSITORY, 'node_modules/.cache/compile'),
}

export function launcherCommand(...args: readonly string[]): readonly string[] {
  return cliCommand('up', ...args)
}

export function cliCommand(...args: readonly string[]): readonly string[] {
  return [...condition, join(REPOSITORY, 'packages/cli', main), ...args]
}

/** `service`: as the launcher names it, for instance `broker-b-slave-2`. */
export function serviceCommand(service: string, ...args: readonly string[]): readonly string[] {
  const kind = /-slave/.test(service) ? 'broker-slave' : /-master/.test(service) ? 'broker-master' : service
  return [...condition, join(REPOSITORY, 'services', kind, main), ...args]
}
