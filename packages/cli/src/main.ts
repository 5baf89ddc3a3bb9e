#!/usr/bin/env node
import { CommanderError } from 'commander'
import { createProgram } from './program.ts'

try {
  await createProgram().parseAsync(process.argv)
} catch (failure) {
  if (!(failure instanceof CommanderError)) throw failure
  // Commander has said it already: help and version are what was asked for, everything else is a wrong way of asking.
  process.exitCode = failure.exitCode === 0 ? 0 : 2
}
