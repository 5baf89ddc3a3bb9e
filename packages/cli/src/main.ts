#!/usr/bin/env node
import { CommanderError } from 'commander'
import { createProgram } from './program.ts'

// Whoever reads has seen enough, as `head` has: that is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (failure: NodeJS.ErrnoException) => {
    if (failure.code !== 'EPIPE') throw failure
    process.exit()
  })
}

try {
  await createProgram().parseAsync(process.argv)
} catch (failure) {
  if (!(failure instanceof CommanderError)) throw failure
  // Commander has said it already: help and version are what was asked for, everything else is a wrong way of asking.
  process.exitCode = failure.exitCode === 0 ? 0 : 2
}
