import { BrokerError, messageOf, systemCodeOf, type ErrorCode } from '@tandemmq/base'
import { adminAddress, type WhereToAsk } from './admin-address.ts'

const ANSWER_WITHIN_MS = 10_000
/** What a service refuses with. */
const REFUSALS: readonly ErrorCode[] = [
  'ILLEGAL_ARGUMENT',
  'NOT_WRITABLE',
  'PEER_REFUSED',
  'PROMOTION_REFUSED',
  'SET_NOT_FOUND',
  'UNAVAILABLE',
]
/** Only a connection that was never made proves that nothing was asked. */
const NOT_REACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

interface HttpAnswer {
  readonly status: number
  readonly ok: boolean
  readonly text: string
}

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

  /**
   * The answer, as the caller knows it to be shaped. Throws with the code and the words of a service that refuses; else `PEER_REFUSED`, `ILLEGAL_ARGUMENT`, or
   * `UNAVAILABLE`: with that code nobody knows whether what was asked for was done.
   */
  async ask<Answer>(path: string, body?: unknown, answerWithinMs = ANSWER_WITHIN_MS): Promise<Answer> {
    const answer = await this.#answer(path, body, answerWithinMs)
    if (!answer.ok) throw this.#refusal(path, answer)
    try {
      const parsed: Answer = JSON.parse(answer.text)
      return parsed
    } catch (cause) {
      throw new BrokerError('UNAVAILABLE', `${this.#url} is no service of TandemMQ: its answer is no JSON`, {
        cause,
      })
    }
  }

  async #answer(path: string, body: unknown, answerWithinMs: number): Promise<HttpAnswer> {
    try {
      return await this.#fetched(path, body, answerWithinMs)
    } catch (thrown) {
      const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
      const why = (messageOf(cause) || String(systemCodeOf(cause))).trim()
      const mayBeDone = body !== undefined && !NOT_REACHED.has(systemCodeOf(cause) ?? '')
      throw new BrokerError(
        'UNAVAILABLE',
        `nobody answers at ${this.#url}: is the cluster running? (${why})${mayBeDone ? ' It may have done it all the same: look before you ask again' : ''}`,
        { cause: thrown },
      )
    }
  }

  async #fetched(path: string, body: unknown, answerWithinMs: number): Promise<HttpAnswer> {
    const answer = await fetch(`${this.#url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(answerWithinMs),
    })
    return { status: answer.status, ok: answer.ok, text: await answer.text() }
  }

  #refusal(path: string, { status, text }: HttpAnswer): BrokerError {
    if (status === 401) {
      const words = `${this.#url} does not accept this admin token: say where the right one is with --token-file, or the launcher's directory with --data`
      return new BrokerError('PEER_REFUSED', words)
    }
    const { error, message } = wordsIn(text)
    const code = REFUSALS.find((known) => known === error)
    if (code !== undefined && message !== '') return new BrokerError(code, message)
    if (status === 404) {
      const words = `${this.#url} knows nothing of ${path}: it was given no adminTokenFile, or is a broker where metadata-rpc is to be asked, or no service of TandemMQ`
      return new BrokerError('ILLEGAL_ARGUMENT', words)
    }
    const words = message === '' ? text.slice(0, 200) : message
    return new BrokerError('UNAVAILABLE', `${this.#url} answers ${status}: ${words}`)
  }
}

/** What a service says of a refusal; empty where it is no service of ours. */
function wordsIn(text: string): { readonly error: string; readonly message: string } {
  try {
    const said: unknown = JSON.parse(text)
    const fields = new Map(Object.entries(typeof said === 'object' && said !== null ? said : {}))
    return { error: String(fields.get('error') ?? ''), message: String(fields.get('message') ?? '') }
  } catch {
    return { error: '', message: '' }
  }
}
