import { afterEach, describe, expect, test, vi } from 'vitest'
import { exitCodeOf, parsedArgs, requireKnown, wholeNumber, WrongArguments } from './command-line.ts'

const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
afterEach(() => vi.clearAllMocks())

describe('a command', () => {
  test('ends with the exit code it says', async () => {
    expect(await exitCodeOf('usage', async () => 1, [])).toBe(1)
  })

  test('that is asked for help tells its usage and runs nothing', async () => {
    const run = vi.fn(async () => 1)
    expect(await exitCodeOf('usage', run, ['a', '--help'])).toBe(0)
    expect(run).not.toHaveBeenCalled()
    expect(stdout).toHaveBeenCalledWith('usage\n')
  })

  test('with wrong arguments says what is wrong, tells its usage, and ends with 2', async () => {
    expect(await exitCodeOf('usage', () => Promise.reject(new WrongArguments('No.')), ['a'])).toBe(2)
    expect(stderr).toHaveBeenCalledWith('No.\n\nusage\n')
  })

  test('that fails for another reason fails with it', async () => {
    await expect(exitCodeOf('usage', () => Promise.reject(new Error('disk')), [])).rejects.toThrow('disk')
  })
})

test.each([[['--bogus']], [['--seed']], [['word']]])('%j is refused', (args) => {
  expect(() => parsedArgs({ args, options: { seed: { type: 'string' } } })).toThrow(WrongArguments)
})

test('what is sound is parsed', () => {
  const { values } = parsedArgs({ args: ['--seed', '7'], options: { seed: { type: 'string' } } })
  expect(values.seed).toBe('7')
})

test('a whole number is digits within its range', () => {
  expect(wholeNumber('--seed', '1', 1, 9)).toBe(1)
  expect(wholeNumber('--seed', '9', 1, 9)).toBe(9)
  for (const text of ['', 'x', '0', '10', '-1', '1.5', '1e0', ' 1', '0x1']) {
    expect(() => wholeNumber('--seed', text, 1, 9), text).toThrow('--seed takes a whole number, 1 to 9')
  }
})

test('an unknown word is refused with all that are known', () => {
  requireKnown('section', ['files'], ['ports', 'files'])
  expect(() => requireKnown('section', ['files', 'x'], ['ports', 'files'])).toThrow(
    'There is no section "x": ports, files.',
  )
})
