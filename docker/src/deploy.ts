import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { output } from './run.ts'
import { SERVICES } from './services.ts'

/** Of what a package publishes, these serve its tests and those who compile against it. */
const NOT_FOR_RUNNING = /\.test(?:-kit)?\.js$|\.d\.ts$|\.tsbuildinfo$/

/**
 * Builds the services and lays each with its production dependencies into `directory/<service>`, beside an empty `data`: what the
 * Dockerfile copies. What was in `directory` is gone.
 */
export function deployServices(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(join(directory, 'data'), { recursive: true })
  output('tsc', ['-b', ...SERVICES.map((service) => `services/${service}`)])
  for (const service of SERVICES) {
    const target = join(directory, service)
    output('pnpm', [`--filter=@tandemmq/${service}`, 'deploy', '--prod', '--ignore-scripts', target])
    for (const ours of ownPackages(target)) prune(ours)
    // Names directories of the machine it was made on.
    rmSync(join(target, 'pnpm-lock.yaml'))
    rmSync(join(target, 'pnpm-workspace.yaml'))
  }
}

/** The service itself and the packages of this repository that it depends on. */
function ownPackages(target: string): readonly string[] {
  const store = join(target, 'node_modules', '.pnpm')
  const packed = readdirSync(store)
    .filter((name) => name.startsWith('@tandemmq+'))
    .map((name) =>
      join(store, name, 'node_modules', '@tandemmq', name.slice('@tandemmq+'.length).split('@')[0] ?? ''),
    )
  return [target, ...packed].map((directory) => join(directory, 'dist'))
}

function prune(dist: string): void {
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (NOT_FOR_RUNNING.test(name)) rmSync(join(dist, name))
  }
}
