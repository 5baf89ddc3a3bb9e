import { expect, test } from 'vitest'
import { importViolations } from './import-rules.ts'
import { importsOf } from './source-file.ts'
import type { WorkspacePackage } from './workspace.ts'

/** A package with one file of this content, whose manifest agrees unless told otherwise. */
function part(
  name: string,
  content: string,
  file = 'x.ts',
  more: Partial<WorkspacePackage> = {},
): WorkspacePackage {
  const directory = `packages/${name}`
  const sources = [{ path: `${directory}/src/${file}`, content }]
  const imported = importsOf({ path: '', content }).filter((module) => !/^(?:\.|node:)/.test(module))
  const references = imported.map((module) => module.replace('@tandemmq/', ''))
  return {
    name,
    directory,
    sources,
    dependencies: imported,
    devDependencies: [],
    exports: {},
    references,
    ...more,
  }
}

test('imports are found however they are written', () => {
  const content = `
    import { a } from 'one'
    import type {
      B,
    } from "two"
    import 'three'
    export * from './four.ts'
    const five = await import('five')
    // import { no } from 'comment'
    /* import 'no' */
    const text = 'from here'`
  expect(importsOf({ path: 'x.ts', content })).toEqual(['one', 'two', 'three', './four.ts', 'five'])
})

test.each([
  ['storage', `import { x } from '@tandemmq/codec'`, 'x.ts'],
  ['storage', `import { createHash } from 'node:crypto'`, 'x.ts'],
  ['storage', `import { readFileSync } from 'node:fs'\nimport { x } from '@tandemmq/testkit'`, 'x.test.ts'],
  ['storage', `// never Date.now()\nclock.now()`, 'x.ts'],
  ['platform-node', `import { createServer } from 'node:net'\nsetTimeout(f, 1)`, 'x.ts'],
  ['simulation', `import { x } from '@tandemmq/testkit'`, 'x.ts'],
])('%s may say %s', (name, content, file) => {
  expect(importViolations(part(name, content, file))).toEqual([])
})

test.each([
  ['codec', `import { x } from '@tandemmq/storage'`, 'storage stands after codec'],
  ['ha-protocol', `import { x } from '@tandemmq/storage'`, 'do not know each other'],
  ['storage', `import { x } from '@tandemmq/testkit'`, 'it is for tests'],
  ['storage', `import fs from 'node:fs'`, 'through a port'],
  ['storage', `import { setTimeout } from 'node:timers/promises'`, 'through a port'],
  ['messaging', `const at = Date.now()`, 'uses Date.now'],
  ['registry', `Math.random()`, 'uses Math.random'],
  ['metadata', `setImmediate(next)`, 'uses setImmediate('],
  ['metadata', `import pino from 'pino'`, 'depends on nothing but Node'],
  ['wire-grpc', `import pino from 'pino'`, 'only platform-node may'],
  ['broker', `import { x } from '@tandemmq/storage/internal'`, 'one door'],
  ['broker', `import { x } from './other'`, 'end in .ts'],
  ['newcomer', '', 'no place in the order'],
])('%s may not say %s', (name, content, why) => {
  expect(importViolations(part(name, content)).join('\n')).toContain(why)
})

test('the manifest names what is imported, no less and no more, and the compiler knows it too', () => {
  const content = `import { x } from '@tandemmq/codec'`
  const sentences = (more: Partial<WorkspacePackage>): string =>
    importViolations(part('storage', content, 'x.ts', more)).join('\n')
  expect(sentences({ dependencies: [] })).toContain('does not depend on @tandemmq/codec')
  expect(sentences({ dependencies: [], devDependencies: ['@tandemmq/codec'] })).toContain(
    'does not depend on',
  )
  expect(sentences({ dependencies: ['@tandemmq/codec', 'zod'] })).toContain('zod, which nothing imports')
  expect(sentences({ references: [] })).toContain('tsconfig.json has no reference to codec')
})
