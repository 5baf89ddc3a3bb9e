import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BrokerError, messageOf } from '@tandemmq/base'
import { parseProperties, readSecretFile } from '@tandemmq/platform-node'
import { adminTokenFile, confFile } from '../up/service-plan.ts'

/** How a command finds the service that it asks. */
export interface WhereToAsk {
  /** The launcher's directory. */
  readonly data: string
  /** The HTTP address of a service, with {@link tokenFile}, instead of what stands in the directory. */
  readonly url?: string
  readonly tokenFile?: string
}

const ANSWER_WITHIN_MS = 10_000

/** The administration API of metadata-rpc or of a broker. Everything that goes wrong is told in a sentence. */
export class AdminApi {
  readonly #url: string
  readonly #token: string

  private constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  /** Throws `CONFIG_INVALID`, with the sentence for people. */
  static find({ data, url, tokenFile }: WhereToAsk, service = 'metadata-rpc'): AdminApi {
    const root = resolve(data)
    if (url === undefined && !existsSync(confFile(root, service))) {
      throw nothing(
        `no cluster was started in ${root}: give its directory with --data, or --url and --token-file of a service`,
      )
    }
    const path = tokenFile === undefined ? adminTokenFile(root) : resolve(tokenFile)
    if (!existsSync(path)) throw nothing(`there is no admin token at ${path}: give it with --token-file`)
    const token = readSecretFile('--token-file', path)?.toString() ?? ''
    return new AdminApi(url === undefined ? urlIn(root, service) : checkedUrl(url), token)
  }

  /** The answer, as the caller knows it to be shaped. Throws `UNAVAILABLE`, `PEER_REFUSED`, or `ILLEGAL_ARGUMENT`. */
  async ask<Answer>(path: string, body?: unknown): Promise<Answer> {
    const answer = await this.#fetched(path, body)
    const text = await answer.text()
    if (answer.status === 401) {
      throw new BrokerError(
        'PEER_REFUSED',
        `${this.#url} does not accept this admin token: is it that of another cluster?`,
      )
    }
    if (answer.status === 404) {
      throw new BrokerError(
        'ILLEGAL_ARGUMENT',
        `${this.#url} has no admin API (a broker has one if it was given an adminTokenFile), or is no service of TandemMQ`,
      )
    }
    if (!answer.ok)
      throw new BrokerError('UNAVAILABLE', `${this.#url} answers ${answer.status}: ${messageIn(text)}`)
    try {
      const parsed: Answer = JSON.parse(text)
      return parsed
    } catch (cause) {
      throw new BrokerError('UNAVAILABLE', `${this.#url} is no service of TandemMQ: its answer is no JSON`, {
        cause,
      })
    }
  }

  async #fetched(path: string, body: unknown): Promise<Response> {
    try {
      return await fetch(`${this.#url}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
    } catch (cause) {
      const why =
        cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : messageOf(cause)
      throw new BrokerError(
        'UNAVAILABLE',
        `nobody answers at ${this.#url}: is the cluster running? (${why})`,
        { cause },
      )
    }
  }
}

/** Where a service listens, by the file that the launcher wrote for it. */
function urlIn(root: string, service: string): string {
  const path = confFile(root, service)
  const values = new Map(
    parseProperties(readFileSync(path, 'utf8'), path).map(({ name, value }) => [name, value]),
  )
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

function messageIn(text: string): string {
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.slice(0, 200)
}

function nothing(message: string): BrokerError {
  return new BrokerError('CONFIG_INVALID', message)
}
