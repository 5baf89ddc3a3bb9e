import type { Clock } from './clock.ts'
import type { Facts, Logger } from './logger.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'

/** Lines of one kind that are written in one window; the others are counted. */
const LINES_MAX = 10
const WINDOW_MS = 60_000
/** Beyond this many kinds at a time, lines with the same message are one kind. */
const KINDS_MAX = 100

interface Kind {
  written: number
  leftOut: number
}

/**
 * For lines that anybody who reaches a port can cause: of each kind, a message and its fact `reason`, ten are written in a minute; the others are
 * counted, and the count is written when the minute is over. So an attack is told, and does not fill the disk or hide what else is told.
 */
export class SparingLogger implements Logger {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #kinds = new Map<string, Kind>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  debug(facts: Facts, message: string): void {
    this.#logger.debug(facts, message)
  }

  info(facts: Facts, message: string): void {
    this.#write('info', facts, message)
  }

  warn(facts: Facts, message: string): void {
    this.#write('warn', facts, message)
  }

  error(facts: Facts, message: string): void {
    this.#write('error', facts, message)
  }

  #write(level: Level, facts: Facts, message: string): void {
    const kind = this.#kindOf(level, facts, message)
    if (kind.written === LINES_MAX) {
      kind.leftOut += 1
      return
    }
    kind.written += 1
    this.#logger[level](facts, message)
  }

  #kindOf(level: Level, { reason }: Facts, message: string): Kind {
    const fine = `${message}: ${reason}`
    const name = this.#kinds.has(fine) || this.#kinds.size < KINDS_MAX ? fine : message
    const known = this.#kinds.get(name)
    if (known !== undefined) return known
    const kind: Kind = { written: 0, leftOut: 0 }
    this.#kinds.set(name, kind)
    this.#clock.after(WINDOW_MS, () => {
      this.#kinds.delete(name)
      if (kind.leftOut === 0) return
      const facts = { line: message, count: kind.leftOut, withinMs: WINDOW_MS }
      this.#logger[level](name === fine ? { ...facts, reason } : facts, 'more lines of a kind were left out')
    })
    return kind
  }
}
