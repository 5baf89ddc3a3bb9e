import { BrokerError } from '@tandemmq/base'
import type { ReplicationView } from '@tandemmq/http'
import { InvalidArgumentError, type Command } from 'commander'
import type { WhereToAsk } from '../admin-address.ts'
import { AdminApi } from './admin-api.ts'
import { statusText } from './status-text.ts'
import { isAllEqual, verifiedText, verifyReplicas } from './verify.ts'

interface Flags extends WhereToAsk {
  readonly json: boolean
}

/** `tandemmq replication`: how far slaves are, and whether they hold what their master holds. */
export function addReplication(program: Command): void {
  const replication = program
    .command('replication')
    .description('how far slaves are behind their masters, as both sides see it')
  asking(replication.command('status'))
    .description('every master with its slaves, every slave with its master')
    .action((flags: Flags) => run(() => status(flags)))
  asking(replication.command('verify'))
    .description('compare the logs of slaves with those of their masters; exit code 1 unless all are equal')
    .option('--from <offset>', 'first byte of the log; default: its beginning', offset)
    .option('--to <offset>', 'the byte behind the last; default: all that is confirmed', offset)
    .action((flags: Flags & { readonly from?: number; readonly to?: number }) => run(() => verify(flags)))
}

/** A command that asks a running service. */
function asking(command: Command): Command {
  return command
    .option('--data <dir>', 'directory of the cluster, as given to `tandemmq up`', './.tandemmq')
    .option('--url <url>', 'HTTP address of metadata-rpc or of one broker, instead of what stands in --data')
    .option('--token-file <file>', 'file with the admin token; default: that in --data')
    .option('--json', 'one JSON object', false)
    .allowExcessArguments(false)
}

async function status(flags: Flags): Promise<void> {
  const view = await AdminApi.find(flags).ask<ReplicationView>('/api/v1/replication')
  if (flags.json) print(JSON.stringify(view))
  else for (const line of statusText(view)) print(line)
}

async function verify(flags: Flags & { readonly from?: number; readonly to?: number }): Promise<void> {
  const results = await verifyReplicas(flags)
  if (flags.json) print(JSON.stringify(results))
  else for (const line of verifiedText(results)) print(line)
  if (!isAllEqual(results)) process.exitCode = 1
}

function offset(given: string): number {
  const value = /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN
  if (!Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be an offset in the log, in bytes.')
  return value
}

async function run(task: () => Promise<void>): Promise<void> {
  try {
    await task()
  } catch (failure) {
    if (!(failure instanceof BrokerError)) throw failure
    process.stderr.write(`${failure.message}\n`)
    process.exitCode = 1
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
