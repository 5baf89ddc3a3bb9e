import { expect, test } from 'vitest'
import { TaskScript } from './task-script.ts'

const script = new TaskScript<number, number>(new URL('task-script.test-child.ts', import.meta.url))

test('results come in the order of the tasks, whichever process is done first', async () => {
  const told: (readonly [number, number])[] = []
  await script.doAll([0, 5, 6, 7], (task, result) => told.push([task, result]), 2)
  expect(told).toEqual([
    [0, 0],
    [5, 10],
    [6, 12],
    [7, 14],
  ])
})

test('a process that ends is an error, not a result', async () => {
  const told: number[] = []
  const work = script.doAll([5, -1, 6], (task) => told.push(task), 1)
  await expect(work).rejects.toThrow('a process that does tasks has ended: 3')
  expect(told).toEqual([5])
})
