import { expect, test } from 'vitest'
import { RecordGatherer } from './record-gatherer.ts'

const RECORD = 16 * 1024

function gathering() {
  const got: Buffer[] = []
  const gatherer = new RecordGatherer((chunk) => got.push(Buffer.from(chunk)))
  return { gatherer, lengths: () => got.map(({ length }) => length), all: () => Buffer.concat(got) }
}

function turn(): Promise<void> {
  return new Promise(setImmediate)
}

test('full records wait for the end of their write, and no longer than for the end of the turn', async () => {
  const { gatherer, lengths } = gathering()
  gatherer.take(Buffer.alloc(8))
  expect(lengths()).toEqual([8])
  for (let n = 0; n < 4; n += 1) gatherer.take(Buffer.alloc(RECORD))
  expect(lengths()).toEqual([8])
  gatherer.take(Buffer.alloc(100))
  expect(lengths()).toEqual([8, 4 * RECORD + 100])
  gatherer.take(Buffer.alloc(RECORD))
  await turn()
  expect(lengths()).toEqual([8, 4 * RECORD + 100, RECORD])
})

test('no byte is lost, doubled or moved, however much comes in a turn', async () => {
  const { gatherer, lengths, all } = gathering()
  const sent = Array.from({ length: 70 }, (_, n) => Buffer.alloc(n % 23 === 22 ? 999 : RECORD, n + 1))
  for (const [n, chunk] of sent.entries()) {
    gatherer.take(chunk)
    if (n % 31 === 30) await turn()
  }
  gatherer.flush()
  await turn()
  expect(all().equals(Buffer.concat(sent))).toBe(true)
  expect(Math.max(...lengths())).toBeLessThanOrEqual(256 * 1024)
})

test('nothing is handed over while it is paused, and all of it afterwards', async () => {
  const { gatherer, lengths } = gathering()
  gatherer.take(Buffer.alloc(RECORD))
  gatherer.pause()
  gatherer.take(Buffer.alloc(5))
  await turn()
  expect(lengths()).toEqual([])
  gatherer.resume()
  expect(lengths()).toEqual([])
  await turn()
  expect(lengths()).toEqual([RECORD + 5])
})
