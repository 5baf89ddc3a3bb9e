import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BrokerError } from '@tandemmq/base'
import { parseProperties, readSecretFile } from '@tandemmq/platform-node'
import { adminTokenFile, confFile } from './up/service-plan.ts'

/** How a command finds the service that it asks. */
export interface WhereToAsk {
  /** The launcher's directory. */
  readonly data: string
  /** The HTTP address of a service, with {@link tokenFile}, instead of what stands in the directory. */
  readonly url?: string
  readonly tokenFile?: string
}

/** Where a service answers, and the token that opens it. Throws `CONFIG_INVALID`, with the sentence for people. */
export function adminAddress(
  { data, url, tokenFile }: WhereToAsk,
  service = 'metadata-rpc',
): { readonly url: string; readonly token: string } {
  const root = resolve(data)
  if (url === undefined && !existsSync(confFile(root, service))) {
    throw nothing(
      `no cluster was started in ${root}: give its directory with --data, or --url and --token-file of a service`,
    )
  }
  const checked = url === undefined ? urlIn(root, service) : checkedUrl(url)
  const path = tokenFile === undefined ? adminTokenFile(root) : resolve(tokenFile)
  if (!existsSync(path)) throw nothing(`there is no admin token at ${path}: give it with --token-file`)
  return { url: checked, token: readSecretFile('--token-file', path)?.toString() ?? '' }
}

/** The broker set of a service that the launcher started. */
export function setIn(data: string, service: string): string | undefined {
  return valuesIn(resolve(data), service).get('brokerName')
}

function valuesIn(root: string, service: string): ReadonlyMap<string, string> {
  const path = confFile(root, service)
  return new Map(parseProperties(readFileSync(path, 'utf8'), path).map(({ name, value }) => [name, value]))
}

/** Where a service listens, by the file that the launcher wrote for it. */
function urlIn(root: string, service: string): string {
  const values = valuesIn(root, service)
  const port = values.get('httpPort')
  if (port === undefined)
    throw nothing(`${join(root, 'conf')} does not say where ${service} listens: give --url`)
  return `http://${values.get('listenAddress') ?? '127.0.0.1'}:${port}`
}

function checkedUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw nothing(`--url ${given} is no address of a service: it looks like http://127.0.0.1:8080`)
  }
  return given.replace(/\/+$/, '')
}

function nothing(message: string): BrokerError {
  return new BrokerError('CONFIG_INVALID', message)
}
