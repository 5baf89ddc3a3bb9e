import { close, sum } from '@tandemmq/testkit'
import { runChecks } from './checks.ts'
import { runTests } from './tests.ts'

/** `npm test`: all tests, then types, lint and format. `npm test -- NAME …`: only the tests whose path contains a name. */
const filters = process.argv.slice(2)
const tallies = [await runTests(filters)]
if (filters.length === 0) {
  tallies.push(await runChecks())
  process.stdout.write('left out: the container tests, which need a Docker engine: npm run test:containers\n')
}
process.exitCode = close(sum(tallies))
