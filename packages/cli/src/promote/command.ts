import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BrokerError, messageOf, systemCodeOf } from '@tandemmq/base'
import type { Command } from 'commander'

interface PromoteFlags {
  readonly set: string
  readonly to?: string
  readonly oldMasterIsOff: boolean
  readonly acceptLoss: boolean
  readonly http: string
  readonly adminTokenFile?: string
  readonly data: string
  readonly json: boolean
}

/** `tandemmq promote`: makes a slave the master of its set, or says why not (rule 3.5). */
export function addPromote(program: Command): void {
  program
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
    .option('--http <url>', 'HTTP of metadata-rpc', 'http://127.0.0.1:8080')
    .option('--admin-token-file <file>', 'default: that of the launcher in --data')
    .option('--data <dir>', 'where the launcher keeps everything', './.tandemmq')
    .option('--json', 'one JSON object on standard output', false)
    .allowExcessArguments(false)
    .action(async (flags: PromoteFlags) => {
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
  try {
    const response = await ask(flags)
    const said: unknown = await response.json()
    const fields = new Map(Object.entries(typeof said === 'object' && said !== null ? said : {}))
    const text = (name: string): string => String(fields.get(name) ?? '')
    if (response.ok)
      return { promoted: true, master: text('master'), epoch: Number(text('epoch')), words: text('words') }
    const message =
      response.status === 401
        ? `metadata-rpc at ${flags.http} does not accept this admin token, or was given none: say where it is with --admin-token-file, or the launcher's directory with --data`
        : text('message') || `${flags.http} answers HTTP ${response.status} and no reason`
    return { promoted: false, error: text('error'), message }
  } catch (cause) {
    if (cause instanceof BrokerError) return { promoted: false, error: cause.code, message: cause.message }
    return { promoted: false, error: 'UNAVAILABLE', message: wordsOfSilence(flags.http, cause) }
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

async function ask(flags: PromoteFlags): Promise<Response> {
  const { set, to, oldMasterIsOff, acceptLoss, http } = flags
  const token = tokenOf(flags)
  if (!URL.canParse(http)) throw new BrokerError('CONFIG_INVALID', `--http ${http} is no URL`)
  return fetch(new URL(`/api/v1/sets/${encodeURIComponent(set)}/promote`, http), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ oldMasterIsOff, acceptLoss, ...(to === undefined ? {} : { to }) }),
  })
}

function tokenOf({ adminTokenFile, data }: PromoteFlags): string | undefined {
  const path = adminTokenFile ?? join(resolve(data), 'conf', 'admin-token')
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    if (adminTokenFile === undefined) return undefined
    throw new BrokerError('CONFIG_INVALID', `${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
}
