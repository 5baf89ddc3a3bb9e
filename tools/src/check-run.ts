import { close, sum } from '@tandemmq/testkit'
import { runChecks } from './checks.ts'
import { runTests } from './tests.ts'

/** `npm run check`: types, lint, format, and the repository's own rules (the import table and the tidy checks). */
process.exitCode = close(sum([await runChecks(), await runTests(['tools/src/repository'])]))
