import { until } from '@tandemmq/interop'
import { expect } from 'vitest'
import { readLog, readLogFiles } from './log-file-records.ts'

/** Waits until the files of the copy hold every record that the original's hold now, and demands that they do so byte for byte. */
export async function sameLog(original: string, copy: string): Promise<number> {
  const { begin, end, bytes } = readLog(original)
  await until(`the copy's log to reach ${end}`, () => {
    const held = readLogFiles(copy)
    const last = end - held.begin - 1
    // The last byte of a record is the end of its properties: never zero.
    return held.bytes.length > last && held.bytes[last] !== 0
  })
  const held = readLogFiles(copy)
  expect(held.begin).toBe(begin)
  const from = firstDifference(bytes, held.bytes.subarray(0, bytes.length))
  expect(from, 'the logs differ at this byte').toBeUndefined()
  return end
}

function firstDifference(one: Buffer, other: Buffer): number | undefined {
  if (one.equals(other)) return undefined
  return one.findIndex((byte, index) => byte !== other[index])
}
