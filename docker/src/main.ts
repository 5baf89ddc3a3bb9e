import { CommandFailed } from './run.ts'
import { buildImages } from './images.ts'

if (process.argv.length > 2) {
  process.stderr.write('usage: npm run images, which takes no arguments\n')
  process.exitCode = 2
} else build()

function build(): void {
  try {
    buildImages()
  } catch (failure) {
    if (!(failure instanceof CommandFailed)) throw failure
    process.stderr.write(`${failure.message}\n`)
    process.exitCode = 1
  }
}
