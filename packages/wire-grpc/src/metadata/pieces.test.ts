import { expect, test } from 'vitest'
import { Pieces, WHOLE_BYTES_MAX } from './pieces.ts'

test('what is cut into pieces of nothing does not grow without end', () => {
  const pieces = new Pieces()
  const nothing = new Uint8Array(0)
  const addWithoutEnd = (): void => {
    for (let n = 0; n <= WHOLE_BYTES_MAX / 1024; n++) pieces.add(nothing)
  }
  expect(addWithoutEnd).toThrow('bytes came in one piece of metadata')
})
