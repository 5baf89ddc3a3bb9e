import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BrokerError, messageOf, systemCodeOf } from '@tandemmq/base'
import { NodeFiles, errnoOf } from '@tandemmq/platform-node'
import type { Command } from 'commander'
import { dumpStore } from './dump.ts'
import { addRepair } from './repair/repair-command.ts'
import { isLocked } from './store-lock.ts'
import { verifyStore } from './verify.ts'

/** `tandemmq store`: looks into a store's directory, ours or Apache's. Only `repair` writes there, under the directory's lock. */
export function addStore(program: Command): void {
  const store = program.command('store').description('look into the directory of a store, and repair it')
  store
    .command('dump')
    .description('print the commit log, one line per record')
    .argument('<dir>', 'storePathRootDir of the broker')
    .option('--json', 'one JSON object per line, with the names that Apache has for the fields', false)
    .allowExcessArguments(false)
    .action((directory: string, { json }: { json: boolean }) => run(() => dump(resolve(directory), json)))
  store
    .command('verify')
    .description(
      'check log, queues, index, checkpoint and position file; exit code 1 if something is wrong, 2 if nothing can be read',
    )
    .argument('<dir>', 'storePathRootDir of the broker')
    .allowExcessArguments(false)
    .action((directory: string) => run(() => verify(resolve(directory))))
  addRepair(store, run)
}

function verify(root: string): number {
  if (isLocked(root))
    print('note: lock at byte 0: a process is at work here; what it changes meanwhile may look wrong')
  return verifyStore(new NodeFiles(), root, print)
}

async function dump(root: string, isJson: boolean): Promise<number> {
  let exitCode = 0
  const lines = dumpStore(new NodeFiles(), root, isJson, ({ kind, file, at, what }) => {
    if (kind === 'problem') exitCode = 1
    process.stderr.write(`${kind}: ${file} at byte ${at}: ${what}\n`)
  })
  try {
    // At the pace of who reads it: a log may be larger than memory.
    await pipeline(Readable.from(lines), process.stdout, { end: false })
  } catch (failure) {
    if (errnoOf(failure) !== 'EPIPE') throw failure // Who reads it has seen enough.
  }
  return exitCode
}

async function run(task: () => number | Promise<number>): Promise<void> {
  try {
    process.exitCode = await task()
  } catch (failure) {
    if (!(failure instanceof BrokerError) && systemCodeOf(failure) === undefined) throw failure
    process.stderr.write(`${messageOf(failure)}\n`)
    process.exitCode = 2
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
