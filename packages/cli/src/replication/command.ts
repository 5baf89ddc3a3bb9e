import type { ReplicationView } from '@tandemmq/http'
import { InvalidArgumentError, type Command } from 'commander'
import { adminOptions, printLine, toldInWords, type AdminFlags } from '../admin-command.ts'
import { AdminApi } from '../admin-api.ts'
import { statusText } from './status-text.ts'
import { isAllEqual, verifiedText, verifyReplicas } from './verify.ts'

interface VerifyFlags extends AdminFlags {
  readonly from?: number
  readonly to?: number
}

const ASKED = 'metadata-rpc or of one broker'

/** `tandemmq replication`: how far slaves are, and whether they hold what their master holds. */
export function addReplication(program: Command): void {
  const replication = program
    .command('replication')
    .description('how far slaves are behind their masters, as both sides see it')
  adminOptions(replication.command('status'), ASKED)
    .description('every master with its slaves, every slave with its master')
    .action((flags: AdminFlags) => toldInWords(() => status(flags)))
  adminOptions(replication.command('verify'), ASKED)
    .description('compare the logs of slaves with those of their masters; exit code 1 unless all are equal')
    .option('--from <offset>', 'first byte of the log; default: its beginning', offset)
    .option('--to <offset>', 'the byte behind the last; default: all that is confirmed', offset)
    .action((flags: VerifyFlags) => toldInWords(() => verify(flags)))
}

async function status(flags: AdminFlags): Promise<void> {
  const view = await AdminApi.find(flags).ask<ReplicationView>('/api/v1/replication')
  if (flags.json) printLine(JSON.stringify(view))
  else for (const line of statusText(view)) printLine(line)
}

async function verify(flags: VerifyFlags): Promise<void> {
  const results = await verifyReplicas(flags)
  if (flags.json) printLine(JSON.stringify(results))
  else for (const line of verifiedText(results)) printLine(line)
  if (!isAllEqual(results)) process.exitCode = 1
}

function offset(given: string): number {
  const value = /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN
  if (!Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be an offset in the log, in bytes.')
  return value
}
