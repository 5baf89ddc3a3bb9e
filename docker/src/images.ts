import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deployServices } from './deploy.ts'
import { CommandFailed, output, root, run } from './run.ts'
import { SERVICES } from './services.ts'

const PUBLIC_BASE = 'node:24-slim'
const LOCAL_BASE = 'tandemmq/node:local'
const BUILT = 'tandemmq/built:local'
/** What an image may add to its base. */
const ADDED_MAX_MB = 60

/** Builds the three images out of this working tree, tagged `local`, and says how large they are. */
export function buildImages(): void {
  const startedAt = performance.now()
  const base = chooseBase()
  const directory = join(root, 'node_modules', '.cache', 'images')
  say('building the services')
  deployServices(directory)
  importBuilt(directory)
  const before = SERVICES.flatMap((service) => idOf(tagOf(service)) ?? [])
  for (const service of SERVICES) build(service, base)
  output('docker', ['image', 'rm', BUILT])
  for (const id of before) removeUntagged(id)
  for (const service of SERVICES) report(service, base)
  say(`done in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`)
}

/** The image that was asked for, else the public one, else one made of this machine's own Node. */
function chooseBase(): string {
  const wanted = process.env['NODE_IMAGE']
  if (wanted !== undefined && wanted !== '') {
    say(`base ${wanted}, as NODE_IMAGE says`)
    return wanted
  }
  if (isThere(PUBLIC_BASE)) {
    say(`base ${PUBLIC_BASE}`)
    return PUBLIC_BASE
  }
  say(`${PUBLIC_BASE} is not here: asking the registry`)
  try {
    output('docker', ['pull', '--quiet', PUBLIC_BASE])
    return PUBLIC_BASE
  } catch (failure) {
    if (!(failure instanceof CommandFailed)) throw failure
    say(
      `no registry gives it (${failure.message.split('\n').at(-1)}): making ${LOCAL_BASE} of this machine's Node`,
    )
    run(join(root, 'docker', 'base-image'), [process.execPath])
    return LOCAL_BASE
  }
}

function isThere(image: string): boolean {
  return idOf(image) !== undefined
}

function idOf(image: string): string | undefined {
  const inspect = ['image', 'inspect', '--format={{.Id}}', image]
  const { status, stdout } = spawnSync('docker', inspect, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** Removes what had a tag of ours before, unless it still has one, any one, or a container uses it. */
function removeUntagged(id: string): void {
  const inspect = ['image', 'inspect', '--format={{len .RepoTags}}', id]
  const { status, stdout } = spawnSync('docker', inspect, { encoding: 'utf8' })
  if (status === 0 && stdout.trim() === '0') spawnSync('docker', ['image', 'rm', id], { stdio: 'ignore' })
}

function tagOf(service: string): string {
  return `tandemmq/${service}:local`
}

/** An image that holds nothing but files, so that no stage of the Dockerfile needs a network. */
function importBuilt(directory: string): void {
  const script = 'tar -C "$1" --numeric-owner --owner=0 --group=0 -c . | docker import - "$2"'
  output('sh', ['-c', script, 'sh', directory, BUILT])
}

function build(service: string, base: string): void {
  const args = {
    NODE_IMAGE: base,
    BUILT,
    VERSION: version(),
    REVISION: revision(),
  }
  run(
    'docker',
    [
      'build',
      '--quiet',
      '--file=docker/Dockerfile',
      `--target=${service}`,
      `--tag=${tagOf(service)}`,
      ...Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`),
      '.',
    ],
    { DOCKER_BUILDKIT: '1' },
  )
}

function report(service: string, base: string): void {
  const image = tagOf(service)
  const addedMb = (sizeOf(image) - sizeOf(base)) / 1e6
  say(`${image}: ${addedMb.toFixed(1)} MB on top of ${base} (at most ${ADDED_MAX_MB})`)
}

function sizeOf(image: string): number {
  return Number(output('docker', ['image', 'inspect', '--format={{.Size}}', image]))
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '0.0.0'
}

function revision(): string {
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : 'unknown'
}

function say(sentence: string): void {
  process.stdout.write(`images: ${sentence}\n`)
}
