import { CommandFailed } from './run.ts'
import { buildImages } from './images.ts'

try {
  buildImages()
} catch (failure) {
  if (!(failure instanceof CommandFailed)) throw failure
  process.stderr.write(`${failure.message}\n`)
  process.exitCode = 1
}
