import { deployServices } from './deploy.ts'

const [directory, ...rest] = process.argv.slice(2)
if (directory === undefined || rest.length > 0) {
  process.stderr.write('usage: node tools/bootstrap.mjs deploy DIRECTORY\n')
  process.exitCode = 2
} else deployServices(directory)
