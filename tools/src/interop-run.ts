import { close } from '@tandemmq/testkit'
import { runTests } from './tests.ts'

/**
 * `npm run interop`: genuine Apache RocketMQ against ours. Needs Java and Maven (`apache/setup` installs them); Apache's jars are fetched at the first
 * run. `npm run interop -- NAME …`: only the tests whose path contains a name.
 */
process.exitCode = close(await runTests(process.argv.slice(2), 'apache'))
