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
  windowMs: number
  /** When this window ends, monotonic ms. */
  until: number
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
    const name = this.#nameOf(facts, message)
    const kind = this.#kindOf(name)
    if (kind.left > 0) {
      kind.left -= 1
      this.#logger[level](facts, message)
      return
    }
    kind.leftOut += 1
    if (kind.leftOut > 1) return
    const line = name === message ? { line: message } : { line: message, reason: facts['reason'] }
    this.#clock.after(kind.until - this.#clock.monotonic(), () => {
      const { leftOut: count, windowMs: withinMs } = kind
      this.#logger[level]({ ...line, count, withinMs }, 'more lines of a kind were left out')
      this.#goOn(kind)
    })
  }

  #nameOf({ reason }: Facts, message: string): string {
    const fine = `${message}: ${reason}`
    if (this.#kinds.size >= KINDS_MAX) this.#forgetThoseOver()
    return this.#kinds.has(fine) || this.#kinds.size < KINDS_MAX ? fine : message
  }

  #kindOf(name: string): Kind {
    const known = this.#kinds.get(name)
    if (known !== undefined && !this.#isOver(known)) return known
    const until = this.#clock.monotonic() + WINDOW_MS
    const kind = { left: LINES_MAX, leftOut: 0, windowMs: WINDOW_MS, until }
    this.#kinds.set(name, kind)
    return kind
  }

  /** There were too many: the next window is longer and has room for one. */
  #goOn(kind: Kind): void {
    kind.left = 1
    kind.leftOut = 0
    kind.windowMs = Math.min(2 * kind.windowMs, LONGEST_WINDOW_MS)
    kind.until = this.#clock.monotonic() + kind.windowMs
  }

  #isOver({ leftOut, until }: Kind): boolean {
    return leftOut === 0 && until <= this.#clock.monotonic()
  }

  #forgetThoseOver(): void {
    for (const [name, kind] of this.#kinds) if (this.#isOver(kind)) this.#kinds.delete(name)
  }
}
