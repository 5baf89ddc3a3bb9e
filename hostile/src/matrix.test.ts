import { expect, test } from 'vitest'
import { Matrix } from './matrix.ts'

test('a matrix runs the rows whose target or attack match, and knows the targets of the others', async () => {
  const lines: string[] = []
  const matrix = new Matrix((line) => lines.push(line), /ha .*reset/i)
  const expected = 'closed'
  for (const target of ['broker-master HA', 'metadata-rpc gRPC']) {
    for (const attack of ['random bytes', 'resets']) {
      await matrix.row({ target, attack, expected }, async () => 'closed')
    }
  }
  expect(lines.slice(2)).toEqual(['| broker-master HA | resets | closed | closed |'])
  expect(matrix).toMatchObject({ passed: 1, failed: 0 })
  expect(matrix.leftOut).toEqual(['broker-master HA', 'metadata-rpc gRPC'])
})

test('a row that throws has failed, and says why', async () => {
  const lines: string[] = []
  const matrix = new Matrix((line) => lines.push(line))
  await matrix.row({ target: 'a', attack: 'b', expected: 'c' }, () =>
    Promise.reject(new Error('x|y', { cause: new Error('z') })),
  )
  expect(lines.at(-1)).toBe('| a | b | c | **FAILED** x\\|y: z |')
  expect(matrix).toMatchObject({ passed: 0, failed: 1 })
})
