import { BrokerError } from '@tandemmq/base'
import type { Command } from 'commander'
import { AdminApi } from '../admin-api.ts'
import { adminOptions, type AdminFlags } from '../admin-command.ts'

/** metadata-rpc waits up to 15 s for the slave to copy what it lacks, then writes to its disk. */
const ANSWER_WITHIN_MS = 60_000

interface PromoteFlags extends AdminFlags {
  readonly set: string
  readonly to?: string
  readonly oldMasterIsOff: boolean
  readonly acceptLoss: boolean
}

/** `tandemmq promote`: makes a slave the master of its set, or says why not (rule 3.5). */
export function addPromote(program: Command): void {
  const promoting = program
    .command('promote')
    .description('make a slave the master of its broker set; the old master becomes its slave')
    .requiredOption('--set <name>', 'broker set, for instance broker-a')
    .option('--to <broker>', 'which slave, for instance broker-a-1; default: the one that holds most')
    .option(
      '--old-master-is-off',
      'your word that the old master does not run: needed if it does not answer',
      false,
    )
    .option('--accept-loss', 'give up what only replicas may hold that are not here', false)
  adminOptions(promoting, 'metadata-rpc').action(async (flags: PromoteFlags) => {
    process.exitCode = await promote(flags)
  })
}

async function promote(flags: PromoteFlags): Promise<number> {
  const { set, json } = flags
  const answer = await answerTo(flags)
  if (json) process.stdout.write(`${JSON.stringify({ ...answer, set })}\n`)
  else if (answer.promoted) {
    const { master, epoch, words } = answer
    process.stdout.write(`${master} is the master of ${set} from epoch ${epoch} on: ${words}\n`)
  } else {
    // Without an answer, or with one that it could not be written down, nobody knows yet.
    const outcome = answer.error === 'UNAVAILABLE' ? '' : ' was not given another master'
    process.stderr.write(`${set}${outcome}: ${answer.message}\n`)
  }
  return answer.promoted ? 0 : 1
}

interface Promoted {
  readonly master: string
  readonly epoch: number
  readonly words: string
}

type Answer =
  | ({ readonly promoted: true } & Promoted)
  | { readonly promoted: false; readonly error: string; readonly message: string }

async function answerTo(flags: PromoteFlags): Promise<Answer> {
  const { set, to, oldMasterIsOff, acceptLoss } = flags
  const path = `/api/v1/sets/${encodeURIComponent(set)}/promote`
  const wish = { oldMasterIsOff, acceptLoss, ...(to === undefined ? {} : { to }) }
  try {
    return { promoted: true, ...(await AdminApi.find(flags).ask<Promoted>(path, wish, ANSWER_WITHIN_MS)) }
  } catch (cause) {
    if (!(cause instanceof BrokerError)) throw cause
    return { promoted: false, error: cause.code, message: cause.message }
  }
}
