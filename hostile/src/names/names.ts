import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Matrix } from '../matrix.ts'

const root = join(import.meta.dirname, '../..')
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')

/** What vitest's reporter `json` writes, as far as it is of use here. */
interface Report {
  readonly testResults: readonly {
    readonly message: string
    readonly assertionResults: readonly {
      readonly title: string
      readonly status: string
      readonly duration?: number
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** Names in what is replicated, in config files and in journals: the tests of this directory, a row for each. */
export async function names(matrix: Matrix): Promise<void> {
  const { testResults } = await reported()
  for (const { assertionResults, message } of testResults) {
    const tests = assertionResults.length > 0 ? assertionResults : [notRun(message)]
    for (const { title, status, duration, failureMessages } of tests) {
      await matrix.row({ target: 'names', attack: title, expected: 'as it says' }, async () => {
        if (status !== 'passed') throw new Error(failureMessages.join() || status)
        return `so it is, after ${Math.round(duration ?? 0)} ms`
      })
    }
  }
}

function notRun(message: string): Report['testResults'][number]['assertionResults'][number] {
  return { title: 'tests that could not run', status: 'failed', failureMessages: [message] }
}

async function reported(): Promise<Report> {
  const directory = await mkdtemp(join(tmpdir(), 'tandemmq-names-'))
  const file = join(directory, 'report.json')
  try {
    const args = [vitest, 'run', 'src/names', '--reporter=json', `--outputFile=${file}`]
    const words = await new Promise<string>((resolve) => {
      // That a test fails is said in the report.
      execFile(process.execPath, args, { cwd: root }, (_failure, stdout, stderr) => resolve(stdout + stderr))
    })
    const text = await readFile(file, 'utf8').catch(() => {
      throw new Error(`no tests were run: ${words.slice(-2_000)}`)
    })
    const report: Report = JSON.parse(text)
    if (report.testResults.length === 0) throw new Error(`no tests were found: ${words.slice(-2_000)}`)
    return report
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
