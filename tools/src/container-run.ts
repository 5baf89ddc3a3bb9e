import { close, type Tally } from '@tandemmq/testkit'
import { runTool, signalTools, step } from './step.ts'
import { runTests } from './tests.ts'

/**
 * `npm run test:containers`: the images on a Docker engine. Fails where no engine answers. `npm run test:containers -- NAME …`: only the tests
 * whose path contains a name. Whatever ends the run, Ctrl-C too, its containers, networks and volumes are removed at the end.
 */
process.env['CONTAINER_TESTS_RUN'] = String(process.pid)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The tests end by it, this process stays to clean up. A terminal sends Ctrl-C to them itself.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) signalTools(signal)
  })
}

const failed: Tally = { passed: 0, failed: 1 }
const isPrepared = await step('an engine, and images', () => sweep('prepare'))
const tally = isPrepared ? await runTests(process.argv.slice(2), 'containers') : failed
const isClean = !isPrepared || (await step('nothing is left behind', () => sweep()))
process.exitCode = close(isClean ? tally : failed)

function sweep(...args: readonly string[]): Promise<boolean> {
  const script = 'containers/src/sweep-command.ts'
  return runTool(process.execPath, ['--conditions=@tandemmq/source', script, ...args])
}
