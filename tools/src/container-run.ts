import { runTool } from './step.ts'
import { close } from './tally.ts'
import { runTests } from './tests.ts'

/**
 * `npm run test:containers`: the images on a Docker engine. Fails where no engine answers. `npm run test:containers -- NAME …`: only the tests
 * whose path contains a name. Whatever ends the run, Ctrl-C too, its containers, networks and volumes are removed at the end.
 */
process.env['CONTAINER_TESTS_RUN'] = String(process.pid)
// The tests hear it themselves and end; this process stays to clean up.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

const tally = await runTests(process.argv.slice(2), 'containers')
await runTool(process.execPath, ['--conditions=@tandemmq/source', 'containers/src/sweep-command.ts'])
process.exitCode = close(tally)
