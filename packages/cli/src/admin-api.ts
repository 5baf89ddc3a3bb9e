import { BrokerError, messageOf } from '@tandemmq/base'
import { adminAddress, type WhereToAsk } from './admin-address.ts'

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
  static find(where: WhereToAsk, service = 'metadata-rpc'): AdminApi {
    const { url, token } = adminAddress(where, service)
    return new AdminApi(url, token)
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
        `${this.#url} knows nothing of ${path}: it was given no adminTokenFile, or is a broker where metadata-rpc is to be asked, or no service of TandemMQ`,
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
        `nobody answers at ${this.#url}: is the cluster running? (${why.trim()})`,
        { cause },
      )
    }
  }
}

function messageIn(text: string): string {
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.slice(0, 200)
}
