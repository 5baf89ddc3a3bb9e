import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NodeFiles } from '@tandemmq/platform-node'
import { expect, test } from 'vitest'
import { GoldenDirectory } from './golden-directory.test-kit.ts'
import { verifyStore } from './verify.ts'

function problems(root: string): string[] {
  const lines: string[] = []
  verifyStore(new NodeFiles(), root, (line) => lines.push(line))
  return lines.filter((line) => line.startsWith('problem'))
}

/** Flips a bit in each of the bytes `from` to `to` of a file, one after the other, and looks for `told`. */
function flipEach(
  golden: GoldenDirectory,
  path: string,
  from: number,
  to: number,
  told: string,
  step = 1,
): void {
  const sound = readFileSync(join(golden.root, path))
  for (let at = from; at < to; at += step) {
    golden.damage(path, at, Buffer.from([(sound[at] ?? 0) ^ 0x02]))
    expect(problems(golden.root).join('\n'), `byte ${at}`).toContain(told)
    golden.damage(path, at, sound.subarray(at, at + 1))
  }
}

test('a flipped bit in any field of a genuine extension unit is told with its place', () => {
  using golden = new GoldenDirectory('store-extra', /^consumequeue_ext/)
  expect(problems(golden.root)).toEqual([])
  const path = 'consumequeue_ext/GoldenExtra/0/00000000000000000000'
  flipEach(golden, path, 20, 40, path)
  // A unit that is gone.
  const file = readFileSync(join(golden.root, path))
  golden.damage(path, 20, Buffer.alloc(20))
  expect(problems(golden.root).join('\n')).toContain(
    `${path} at byte 20: no extension unit is here, but something is`,
  )
  golden.damage(path, 20, file.subarray(20, 40))
  expect(problems(golden.root)).toEqual([])
})

test('an address of an extension unit that leads elsewhere is told', () => {
  using golden = new GoldenDirectory('store-extra', /^consumequeue_ext/)
  const queue = 'consumequeue/GoldenExtra/0/00000000000000000000'
  flipEach(
    golden,
    queue,
    20 + 18,
    40,
    `${queue} at byte 20: the unit of queue offset 1 leads to an extension unit`,
  )
})

test(
  'a flipped bit in any field of a genuine timer log, or of a slot of its wheel, is told with its place',
  { timeout: 60_000 },
  () => {
    using golden = new GoldenDirectory('store', /^timer/)
    expect(problems(golden.root)).toEqual([])
    const log = 'timerlog/00000000000000000000'
    flipEach(golden, log, 55, 104, `${log} at byte 52: `, 4)
    flipEach(golden, log, 260 + 15, 260 + 16, `${log} at byte 260: `)
    // The blank: its length and its magic; between them is nothing.
    flipEach(golden, log, 990, 992, `${log} at byte 988: `)
    flipEach(golden, log, 1002, 1004, `${log} at byte 988: `)
    // Five messages; the magic of a slot says nothing.
    const slot = 318_487 * 32
    flipEach(golden, 'timerwheel', slot + 3, slot + 28, `timerwheel at byte ${slot}: slot 318487 `, 4)
  },
)
