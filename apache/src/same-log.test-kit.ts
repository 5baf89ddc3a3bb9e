import { until } from '@tandemmq/interop'
import { expect } from 'vitest'
import { readLog, readLogFiles } from './log-file-records.ts'

/**
 * Waits until the files of the copy hold every record that the original's hold now, and demands that from their first byte on they do so
 * byte for byte. Returns where that is.
 */
export async function sameLog(original: string, copy: string): Promise<number> {
  const { begin, end, bytes } = readLog(original)
  const held = await until(`the copy's log to reach ${end}`, () => {
    const files = readLogFiles(copy)
    const last = end - files.begin - 1
    // The last byte of a record is the end of its properties: never zero.
    return files.bytes.length > last && files.bytes[last] !== 0 && files
  })
  expect(held.begin).toBeGreaterThanOrEqual(begin)
  const expected = bytes.subarray(held.begin - begin)
  const from = firstDifference(expected, held.bytes.subarray(0, expected.length))
  expect(from, 'the logs differ at this byte').toBeUndefined()
  return end
}

function firstDifference(one: Buffer, other: Buffer): number | undefined {
  if (one.equals(other)) return undefined
  return one.findIndex((byte, index) => byte !== other[index])
}
