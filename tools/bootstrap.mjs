// npm start, npm test, npm run …: sets up what is needed, then runs what was asked for under Node 24, straight from source.
//
//     node tools/bootstrap.mjs <task> [argument …]
//
// The scripts in package.json say `exec node …`: a shell left between npm and us would die of a signal instead of passing it on.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetUpError, prepareToolchain } from './toolchain.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const SERVICES = ['broker-master', 'broker-slave', 'metadata-rpc']

/** Each task's script, and the arguments that go before the person's own. */
const TASKS = {
  up: ['packages/cli/src/main.ts', ['up']],
  tandemmq: ['packages/cli/src/main.ts', []],
  test: ['tools/src/test-run.ts', []],
  'test:containers': ['tools/src/container-run.ts', []],
  ci: ['tools/src/ci-run.ts', []],
  check: ['tools/src/check-run.ts', []],
  demo: ['interop/src/demo.ts', []],
  bench: ['bench/src/main.ts', []],
  hostile: ['hostile/src/main.ts', []],
  simulate: ['simulation/src/main.ts', []],
  interop: ['tools/src/interop-run.ts', []],
  differential: ['apache/src/differential/main.ts', []],
  fuzz: ['fuzz/src/main.ts', []],
  crash: ['crash/src/main.ts', []],
  rounds: ['rounds/src/main.ts', []],
  planted: ['tools/src/planted-run.ts', []],
  images: ['docker/src/main.ts', []],
  deploy: ['docker/src/deploy-main.ts', []],
}

/** A simulated life makes much garbage and keeps little: with a larger nursery it takes 8 % less CPU. */
const FLAGS = { simulate: ['--max-semi-space-size=32'] }

function main([task = '', ...args]) {
  // A command of its own beside the tests, not a part of their names.
  if (task === 'interop' && args[0] === 'differential') return main(args)
  const [script, scriptArgs] = task === 'service' ? serviceTask(args) : (TASKS[task] ?? [])
  const { node, env } = prepareToolchain(root)
  if (task === 'exec') return runChild(args[0] ?? node, args.slice(1), env)
  if (script === undefined) {
    throw new SetUpError(
      `There is no task "${task}": ${[...Object.keys(TASKS), 'service', 'exec'].join(', ')}.`,
    )
  }
  const path = join(root, script)
  if (!existsSync(path)) throw new SetUpError(`${script} is not part of this copy of TandemMQ.`)
  const ownArgs = task === 'service' ? scriptArgs : [...scriptArgs, ...args]
  // The same as the launcher gives its services.
  const flags = task === 'service' ? ['--max-semi-space-size=8'] : (FLAGS[task] ?? [])
  runChild(node, [...flags, '--conditions=@tandemmq/source', path, ...ownArgs], env)
}

function serviceTask([service = '', ...args]) {
  if (!SERVICES.includes(service)) {
    throw new SetUpError(`npm run service -- <${SERVICES.join('|')}> -c FILE [key=value …]`)
  }
  return [`services/${service}/src/main.ts`, args]
}

/**
 * Runs a child in our place. A terminal sends Ctrl-C to the child itself, so it is passed on only when it came to us alone;
 * npm repeats signals, so each is passed on once.
 */
function runChild(command, args, env) {
  const child = spawn(command, args, { stdio: 'inherit', env })
  const passed = new Set()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      const isFromTerminal = signal === 'SIGINT' && process.stdin.isTTY
      if (isFromTerminal || passed.has(signal)) return
      passed.add(signal)
      child.kill(signal)
    })
  }
  child.once('error', (failure) => {
    process.stderr.write(`tandemmq: ${failure.message}\n`)
    process.exit(1)
  })
  child.once('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal])
  })
}

try {
  main(process.argv.slice(2))
} catch (failure) {
  if (!(failure instanceof SetUpError)) throw failure
  process.stderr.write(`${failure.message}\n`)
  process.exit(2)
}
