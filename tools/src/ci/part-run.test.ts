import { describe, expect, test } from 'vitest'
import { counted, runPart } from './part-run.ts'

const never = new AbortController().signal

function nodeScript(source: string) {
  return {
    name: 'a part',
    budgetMinutes: 1,
    command: [process.execPath, '-e', source],
    countsItself: true,
    needsEngine: false,
  } as const
}

describe('a part of .ci/run', () => {
  test('counts what its last closing line says', async () => {
    const source =
      "console.log('1 passed, 0 failed'); console.log('x'); console.log('41 passed, 1 failed'); process.exit(1)"
    expect(await runPart(nodeScript(source), never)).toMatchObject({ passed: 41, failed: 1 })
  })

  test('that counts itself and does not say how many has failed, however it ends', async () => {
    for (const source of ['', "console.log('NaN passed, 0 failed')", 'process.exit(3)']) {
      expect(await runPart(nodeScript(source), never)).toMatchObject({ passed: 0, failed: 1 })
    }
  })

  test('that does not count itself counts as one, by how it ends', async () => {
    for (const [source, isGood] of [
      ['', true],
      ["console.log('7 passed, 2 failed')", true],
      ['process.exit(3)', false],
    ] as const) {
      const result = await runPart({ ...nodeScript(source), countsItself: false }, never)
      expect(result).toMatchObject(isGood ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })
    }
  })

  test('in which nothing ran has failed', () => {
    expect(counted({ passed: 0, failed: 0 }, true)).toEqual({ passed: 0, failed: 1 })
  })

  test('that says all is well and ends badly has failed', () => {
    expect(counted({ passed: 7, failed: 0 }, false)).toEqual({ passed: 7, failed: 1 })
    expect(counted({ passed: 7, failed: 2 }, false)).toEqual({ passed: 7, failed: 2 })
  })

  test('whose program does not exist has failed', async () => {
    const part = { ...nodeScript(''), command: ['/no/such/program'] } as const
    expect(await runPart(part, never)).toMatchObject({ passed: 0, failed: 1 })
  })
})
