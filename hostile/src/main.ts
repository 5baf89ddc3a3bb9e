import { close, exitCodeOf, parsedArgs, requireKnown, WrongArguments } from '@tandemmq/testkit'
import { files } from './files/files.ts'
import { Matrix, type Section } from './matrix.ts'
import { names } from './names/names.ts'
import { ports } from './ports/ports.ts'

const sections: Readonly<Record<string, Section>> = { ports, files, names }

const USAGE = `npm run hostile [-- SECTION …] [--only PATTERN]
  SECTION        ${Object.keys(sections).join(' or ')}; with none, all
  --only PATTERN a regular expression: only rows whose target and attack match it, in capitals or not`

process.exitCode = await exitCodeOf(USAGE, async () => {
  const { positionals, values } = parsedArgs({
    allowPositionals: true,
    options: { only: { type: 'string' } },
  })
  requireKnown('section', positionals, Object.keys(sections))
  const matrix = new Matrix(print, patternOf(values.only ?? ''))
  for (const [name, section] of Object.entries(sections)) {
    if (positionals.length === 0 || positionals.includes(name)) await section(matrix)
  }
  if (matrix.passed + matrix.failed === 0) {
    print(`\nNo row matches --only ${values.only ?? ''}. Rows are of: ${matrix.leftOut.join(', ')}.`)
  }
  return close(matrix)
})

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, 'i')
  } catch (failure) {
    throw new WrongArguments(`--only: ${failure instanceof Error ? failure.message : String(failure)}`)
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
