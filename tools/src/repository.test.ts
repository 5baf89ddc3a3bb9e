import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importViolations } from './import-rules.ts'
import { root } from './step.ts'
import { tidyViolations } from './tidy-rules.ts'
import { readFiles, readWorkspace } from './workspace.ts'

/** The repository holds itself to its own rules: who may import whom, and what a file may look like. */
describe.each(readWorkspace().map((part) => [part.directory, part] as const))('%s', (directory, part) => {
  test('imports only what its place allows', () => {
    expect(importViolations(part)).toEqual([])
  })

  test('has a README and one door of the common shape', () => {
    expect(existsSync(join(root, directory, 'README.md'))).toBe(true)
    expect(part.exports).toEqual({
      '.': {
        '@tandemmq/source': './src/index.ts',
        types: './dist/index.d.ts',
        default: './dist/index.js',
      },
    })
  })
})

test('every source file is tidy', () => {
  const files = readFiles('.', ['.ts', '.mjs'])
  expect(files.length).toBeGreaterThan(100)
  expect(files.flatMap(tidyViolations)).toEqual([])
})
