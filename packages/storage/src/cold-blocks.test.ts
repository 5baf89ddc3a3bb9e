import { expect, test } from 'vitest'
import { ColdBlocks } from './cold-blocks.ts'

const PIECE = 1000

function blocksWith(bytesMax: number, ...starts: readonly number[]): ColdBlocks {
  const blocks = new ColdBlocks(bytesMax, PIECE)
  for (const start of starts) add(blocks, start, PIECE)
  return blocks
}

function add(blocks: ColdBlocks, start: number, size: number): void {
  const room = blocks.room(size)
  for (let at = 0; at < size; at += 1) room[at] = (start + at) % 251
  blocks.add(start, room)
}

function log(offset: number, size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => (offset + at) % 251))
}

test('bytes are found in the block that holds all of them', () => {
  const blocks = blocksWith(10_000, 3000, 1000, 2000)
  expect(blocks.bytes(1000, 1000)).toEqual(log(1000, 1000))
  expect(blocks.bytes(2999, 1)).toEqual(log(2999, 1))
  expect(blocks.bytes(3500, 500)).toEqual(log(3500, 500))
  expect(blocks.has(1999, 2)).toBe(false)
  expect(blocks.has(999, 1)).toBe(false)
  expect(blocks.has(4000, 1)).toBe(false)
})

test('the oldest go first, and no more is held than allowed', () => {
  const blocks = new ColdBlocks(4 * PIECE, PIECE)
  for (let start = 0; start < 100 * PIECE; start += PIECE) {
    add(blocks, start, PIECE)
    add(blocks, start + 500_000, 10)
    expect(blocks.held).toBeLessThanOrEqual(4 * PIECE)
    expect(blocks.has(start + 500_000, 10)).toBe(true)
  }
  expect(blocks.has(0, 1)).toBe(false)
})

test('what was given out stays true while its memory is used again', () => {
  const blocks = blocksWith(2 * PIECE, 0)
  const given = blocks.bytes(100, 300)
  for (let start = PIECE; start < 50 * PIECE; start += PIECE) add(blocks, start, PIECE)
  expect(given).toEqual(log(100, 300))
})

test('a record larger than a piece is given out without a copy', () => {
  const blocks = new ColdBlocks(100 * PIECE, PIECE)
  add(blocks, 7000, 5 * PIECE)
  const given = blocks.bytes(7000, 5 * PIECE)
  expect(given?.buffer).toBe(blocks.bytes(7000, 5 * PIECE)?.buffer)
  blocks.clear()
  for (let start = 0; start < 20 * PIECE; start += PIECE) add(blocks, start, PIECE)
  expect(given).toEqual(log(7000, 5 * PIECE))
})

test('nothing below the begin of the log is found', () => {
  const blocks = blocksWith(10_000, 0, 1000, 2000)
  blocks.dropBelow(2000)
  expect(blocks.has(1500, 1)).toBe(false)
  expect(blocks.has(2500, 1)).toBe(true)
})
