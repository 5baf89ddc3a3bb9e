import { BrokerError, messageOf, systemCodeOf } from '@tandemmq/base'
import type { Command } from 'commander'
import { adminAddress } from '../admin-address.ts'
import { adminOptions, type AdminFlags } from '../admin-command.ts'

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

type Answer =
  | { readonly promoted: true; readonly master: string; readonly epoch: number; readonly words: string }
  | { readonly promoted: false; readonly error: string; readonly message: string }

async function answerTo(flags: PromoteFlags): Promise<Answer> {
  let url = ''
  try {
    const { token, ...found } = adminAddress(flags)
    url = found.url
    const response = await ask(flags, url, token)
    const said: unknown = await response.json()
    const fields = new Map(Object.entries(typeof said === 'object' && said !== null ? said : {}))
    const text = (name: string): string => String(fields.get(name) ?? '')
    if (response.ok)
      return { promoted: true, master: text('master'), epoch: Number(text('epoch')), words: text('words') }
    const message =
      response.status === 401
        ? `metadata-rpc at ${url} does not accept this admin token: say where the right one is with --token-file, or the launcher's directory with --data`
        : text('message') || `${url} answers HTTP ${response.status} and no reason`
    return { promoted: false, error: text('error'), message }
  } catch (cause) {
    if (cause instanceof BrokerError) return { promoted: false, error: cause.code, message: cause.message }
    return { promoted: false, error: 'UNAVAILABLE', message: wordsOfSilence(url, cause) }
  }
}

/** Why there is no answer. Only a connection that was never made proves that nothing was asked. */
function wordsOfSilence(http: string, thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
  const words = `metadata-rpc at ${http} does not answer: ${messageOf(cause) || String(systemCodeOf(cause))}`
  return NOT_REACHED.has(systemCodeOf(cause) ?? '')
    ? words
    : `${words}. It may have done it all the same: look who is the master before you ask again`
}

const NOT_REACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

async function ask(flags: PromoteFlags, url: string, token: string): Promise<Response> {
  const { set, to, oldMasterIsOff, acceptLoss } = flags
  return fetch(`${url}/api/v1/sets/${encodeURIComponent(set)}/promote`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ oldMasterIsOff, acceptLoss, ...(to === undefined ? {} : { to }) }),
  })
}
