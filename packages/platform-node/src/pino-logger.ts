import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import pino from 'pino'
import type { Facts, Logger } from '@tandemmq/base'
import { errnoOf } from './errno.ts'
import { readableLine } from './readable-line.ts'

export interface PinoLoggerOptions {
  /** Which process speaks: the field `service` of every line. */
  readonly service: string
  /** Default `info`. */
  readonly level?: 'debug' | 'info' | 'warn' | 'error'
  /** Default: text for a person at a terminal, JSON lines for everything else. */
  readonly format?: 'json' | 'text'
  /** Where lines go: a file descriptor (default 1, standard output), or a function that takes one line each time. */
  readonly to?: number | ((line: string) => void)
}

/** Pino behind the {@link Logger} port. */
export class PinoLogger implements Logger {
  readonly #pino: pino.Logger

  constructor(options: PinoLoggerOptions) {
    const target = options.to ?? 1
    const format = options.format ?? (typeof target === 'number' && isatty(target) ? 'text' : 'json')
    const put = typeof target === 'number' ? (line: string) => writeLine(target, line) : target
    this.#pino = pino(
      { level: options.level ?? 'info', base: { service: options.service } },
      { write: format === 'text' ? (line) => put(`${readableLine(line.trimEnd())}\n`) : put },
    )
  }

  debug(facts: Facts, message: string): void {
    this.#pino.debug(facts, message)
  }

  info(facts: Facts, message: string): void {
    this.#pino.info(facts, message)
  }

  warn(facts: Facts, message: string): void {
    this.#pino.warn(facts, message)
  }

  error(facts: Facts, message: string): void {
    this.#pino.error(facts, message)
  }
}

/**
 * A line is written before the call returns, so that the last words of a dying process are not lost. A reader that has gone
 * away (EPIPE) or does not read (EAGAIN: the pipe is full) costs its lines, never the broker.
 */
function writeLine(descriptor: number, line: string): void {
  try {
    let rest = Buffer.from(line)
    while (rest.length > 0) rest = rest.subarray(writeSync(descriptor, rest))
  } catch (failure) {
    const code = errnoOf(failure)
    if (code !== 'EPIPE' && code !== 'EAGAIN') throw failure
  }
}
