import {
  importsOf,
  isGenerated,
  isTestCode,
  packageOf,
  withoutComments,
  type SourceFile,
} from './source-file.ts'
import { SCOPE, type WorkspacePackage } from './workspace.ts'

/** The parts of ARCHITECTURE.md from the first to the last: each may import what stands before it, and nothing else. */
const ORDER = [
  'base',
  'testkit',
  'codec',
  'storage',
  'ha-protocol',
  'metadata',
  'registry',
  'messaging',
  'broker',
  'rpc',
  'wire-grpc',
  'remoting',
  'platform-node',
  'http',
  'broker-process',
  'cli',
  'embedded',
  'broker-master',
  'broker-slave',
  'metadata-rpc',
  'simulation',
  'interop',
  'apache',
  'containers',
  'hostile',
  'bench',
  'fuzz',
  'crash',
  'rounds',
]

/** These do not know each other: they meet in `broker`, through ports. */
const STRANGERS = new Set(['storage', 'ha-protocol', 'metadata', 'registry'])
/** Time, randomness, disk and network reach these through the ports of `base` alone, so that a cluster runs from a seed. */
const PURE = new Set(['base', 'codec', 'messaging', 'broker', 'simulation', ...STRANGERS])
/** Nothing but tests, of all that stands before them. */
const TESTING = new Set(['simulation', 'apache', 'hostile', 'fuzz', 'crash', 'bench', 'rounds'])
/** What a pure package may take from Node: calculation. */
const PURE_MODULES = new Set(['node:crypto', 'node:zlib', 'node:buffer', 'node:path'])
const IMPURE_CALLS =
  /\b(?:setTimeout|setInterval|setImmediate|fetch)\(|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.|\bprocess\.(?:env|hrtime|nextTick|on|once|exit|uptime)\b|\bconsole\.|\brandom(?:Bytes|UUID|Int)\b/g
/** The only package in which production code may be of this kind: `module` → package. */
const SOLE_IMPORTERS: Readonly<Record<string, readonly string[]>> = {
  pino: ['platform-node'],
  'prom-client': ['platform-node'],
  '@grpc/grpc-js': ['rpc', 'wire-grpc'],
  fastify: ['http'],
  commander: ['cli'],
}
/** Tools of the whole repository, which its root depends on. */
const ROOT_TOOLS = new Set(['vitest', 'fast-check'])

/** What is wrong with a package's imports, one sentence each. */
export function importViolations(part: WorkspacePackage): readonly string[] {
  return [
    ...part.sources.flatMap((file) => fileViolations(part, file)),
    ...manifestViolations(part),
    ...(ORDER.includes(part.name) ? [] : [`${part.directory} has no place in the order of the parts`]),
  ]
}

function fileViolations(part: WorkspacePackage, file: SourceFile): readonly string[] {
  if (isGenerated(file.path)) return []
  const wrong = importsOf(file).flatMap((module) => {
    const why = whyNot(part, file, module)
    return why === undefined ? [] : [`${file.path} imports ${module}: ${why}`]
  })
  if (!PURE.has(part.name) || isTestCode(file.path)) return wrong
  const calls = withoutComments(file.content).match(IMPURE_CALLS) ?? []
  return [...wrong, ...calls.map((call) => `${file.path} uses ${call}: it comes through a port of base`)]
}

function whyNot(part: WorkspacePackage, file: SourceFile, module: string): string | undefined {
  if (module.startsWith('.')) return module.endsWith('.ts') ? undefined : 'relative imports end in .ts'
  if (module.startsWith('node:')) {
    const isFree = !PURE.has(part.name) || isTestCode(file.path) || PURE_MODULES.has(module)
    return isFree ? undefined : 'it comes through a port of base'
  }
  if (!module.startsWith(SCOPE)) return whyNotForeign(part, file, packageOf(module))
  const other = packageOf(module).slice(SCOPE.length)
  if (module !== packageOf(module)) return 'a package has one door'
  if (ORDER.indexOf(other) >= ORDER.indexOf(part.name)) return `${other} stands after ${part.name}`
  if (STRANGERS.has(part.name) && STRANGERS.has(other)) return 'these two do not know each other'
  if (other === 'testkit' && !isTestCode(file.path) && !TESTING.has(part.name)) return 'it is for tests'
  return undefined
}

function whyNotForeign(part: WorkspacePackage, file: SourceFile, name: string): string | undefined {
  if (isTestCode(file.path)) return undefined
  if (PURE.has(part.name)) return `${part.name} depends on nothing but Node`
  const importers = SOLE_IMPORTERS[name]
  return importers === undefined || importers.includes(part.name)
    ? undefined
    : `only ${importers.join(', ')} may`
}

/** The manifest names exactly what the sources import, and the compiler's references are the same packages. */
function manifestViolations({
  sources,
  directory,
  dependencies,
  devDependencies,
  references,
}: WorkspacePackage): string[] {
  const wrong: string[] = []
  const imported = new Set<string>()
  for (const file of sources) {
    const isOnlyForTests = isTestCode(file.path)
    for (const module of importsOf(file)) {
      if (module.startsWith('.') || module.startsWith('node:')) continue
      const name = packageOf(module)
      imported.add(name)
      if (dependencies.includes(name)) continue
      if (isOnlyForTests && (devDependencies.includes(name) || ROOT_TOOLS.has(name))) continue
      wrong.push(`${directory}/package.json does not depend on ${name}, which ${file.path} imports`)
    }
  }
  // Tools that a package is built with are not imported.
  const named = [...dependencies, ...devDependencies.filter((name) => name.startsWith(SCOPE))]
  for (const name of named) {
    if (!imported.has(name)) wrong.push(`${directory}/package.json depends on ${name}, which nothing imports`)
  }
  const ours = named.filter((name) => name.startsWith(SCOPE)).map((name) => name.slice(SCOPE.length))
  for (const name of ours) {
    if (!references.includes(name)) wrong.push(`${directory}/tsconfig.json has no reference to ${name}`)
  }
  return wrong
}
