import { TaskScript } from './task-script.ts'

/** Doubles numbers, small ones slowly; -1 ends it. */
new TaskScript<number, number>(new URL(import.meta.url)).serve(async (number) => {
  if (number === -1) process.exit(3)
  let rest = number < 2 ? 100_000_000 : 0
  while (rest > 0) rest -= 1
  return number * 2 + rest
})
