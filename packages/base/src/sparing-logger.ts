import type { Clock } from './clock.ts'
import type { Facts, Logger } from './logger.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'

/** Lines of one kind that are written in its first window; the others are counted. */
const LINES_MAX = 10
const WINDOW_MS = 60_000
/** A kind that goes on without end has one line in each further window, and each is twice as long as the one before, up to this. */
const LONGEST_WINDOW_MS = 10 * WINDOW_MS
/** Beyond this many kinds at a time, lines with the same message are one kind. */
const KINDS_MAX = 100

interface Kind {
  /** Lines that may still be written in this window. */
  left: number
  leftOut: number
}

/**
 * For lines that anybody who reaches a port can cause: of each kind, a message and its fact `reason`, ten are written in a minute; the others are
 * counted, and the count is written when the minute is over. As long as there are more than that, a line and a count are written every two minutes, four, and so
 * on, at last every ten. So an attack is told, and does not fill the disk or hide what else is told, nor does a peer that is refused for days.
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
    if (kind.left === 0) {
      kind.leftOut += 1
      return
    }
    kind.left -= 1
    this.#logger[level](facts, message)
  }

  #kindOf(level: Level, { reason }: Facts, message: string): Kind {
    const fine = `${message}: ${reason}`
    const name = this.#kinds.has(fine) || this.#kinds.size < KINDS_MAX ? fine : message
    const known = this.#kinds.get(name)
    if (known !== undefined) return known
    const kind: Kind = { left: LINES_MAX, leftOut: 0 }
    this.#kinds.set(name, kind)
    const facts = { line: message, ...(name === fine && { reason }) }
    this.#closeWindow(name, kind, WINDOW_MS, (count) =>
      this.#logger[level]({ ...facts, ...count }, 'more lines of a kind were left out'),
    )
    return kind
  }

  #closeWindow(name: string, kind: Kind, windowMs: number, tell: (count: Facts) => void): void {
    this.#clock.after(windowMs, () => {
      if (kind.leftOut === 0) {
        this.#kinds.delete(name)
        return
      }
      tell({ count: kind.leftOut, withinMs: windowMs })
      kind.left = 1
      kind.leftOut = 0
      this.#closeWindow(name, kind, Math.min(2 * windowMs, LONGEST_WINDOW_MS), tell)
    })
  }
}
