import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { messageOf, type Logger } from '@tandemmq/base'

/** The environment variable that names the descriptor on which a launcher listens. */
export const READY_VARIABLE = 'TANDEMMQ_READY_FD'

/** What a service says of itself when it is ready; addresses are `host:port`. */
export interface ReadyFacts {
  readonly service: string
  readonly grpc?: string
  readonly ha?: string
  readonly http?: string
  /** A master: in words, what OK means with this configuration. */
  readonly okMeans?: string
}

/**
 * The line between a service and the launcher that started it: the service writes one line of JSON when it is ready, and
 * hears the line break when the launcher is gone.
 */
export class LauncherChannel {
  readonly #descriptor: number

  private constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /** `undefined`: nobody launched us, the service stands alone. */
  static fromEnvironment(
    environment: Readonly<Record<string, string | undefined>>,
  ): LauncherChannel | undefined {
    const text = environment[READY_VARIABLE]
    return text !== undefined && /^\d{1,4}$/.test(text) ? new LauncherChannel(Number(text)) : undefined
  }

  /** Tells the launcher. A launcher that is gone is no reason not to serve: the failure is only logged. */
  ready(facts: ReadyFacts, logger: Logger): void {
    try {
      writeSync(this.#descriptor, `${JSON.stringify({ ready: true, ...facts })}\n`)
    } catch (failure) {
      logger.warn({ why: messageOf(failure) }, 'the launcher could not be told that this service is ready')
    }
  }

  /** Calls `listener` once when the launcher has ended, however it did. Keeps nothing alive. */
  onGone(listener: () => void): void {
    const line = new Socket({ fd: this.#descriptor, readable: true, writable: false })
    line.on('error', () => line.destroy())
    line.once('close', listener)
    line.resume()
    line.unref()
  }
}

/** What a launcher heard: `undefined` for a line that is no ready line. */
export function parseReadyLine(line: string): ReadyFacts | undefined {
  const facts = fieldsOf(line)
  const service = facts?.get('service')
  if (facts?.get('ready') !== true || typeof service !== 'string') return undefined
  const texts = (['grpc', 'ha', 'http', 'okMeans'] as const).map((name) => [name, facts.get(name)] as const)
  return { service, ...Object.fromEntries(texts.filter(([, value]) => typeof value === 'string')) }
}

function fieldsOf(line: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined
  } catch {
    return undefined
  }
}
