import { expect, test, vi } from 'vitest'
import { close, readTally } from './tally.ts'

const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)

test.each([
  [{ passed: 3, failed: 0 }, 0],
  [{ passed: 3, failed: 1 }, 1],
  [{ passed: 0, failed: 0 }, 1],
])('%j ends with exit code %i, and its closing line can be read', (tally, code) => {
  stdout.mockClear()
  expect(close(tally)).toBe(code)
  const lines = stdout.mock.calls
    .map(([text]) => String(text))
    .join('')
    .trimEnd()
    .split('\n')
  expect(readTally(lines.at(-1) ?? '')).toEqual(tally)
})

test('no other line is a closing line', () => {
  for (const line of ['NaN passed, 0 failed', '-3 passed, 0 failed', 'ok 1 passed, 0 failed', '']) {
    expect(readTally(line), line).toBeUndefined()
  }
})
