import { parseArgs } from 'node:util'
import { files } from './files/files.ts'
import { Matrix, type Section } from './matrix.ts'
import { ports } from './ports/ports.ts'

const sections: Readonly<Record<string, Section>> = { ports, files }

/** `npm run hostile [-- SECTION …] [--only TEXT]` */
const { positionals, values } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } })
const matrix = new Matrix((line) => process.stdout.write(`${line}\n`), values.only)
for (const [name, section] of Object.entries(sections)) {
  if (positionals.length === 0 || positionals.includes(name)) await section(matrix)
}
process.stdout.write(`\n${matrix.passed} passed, ${matrix.failed} failed\n`)
process.exitCode = matrix.failed === 0 && matrix.passed > 0 ? 0 : 1
