import type { LogOffset } from '@tandemmq/base'
import type { LogRange } from '@tandemmq/codec'

/** What both sides read at a time: nothing waits for longer than that takes. */
export const VERIFIED_BYTES_MAX = 256 * 1024
/** A range that differs is halved until it is no longer than this. */
const NARROWED_BYTES = 64
/** Of more ranges that differ only the number is kept. */
const MISMATCHES_MAX = 64

/** What was asked for by name. */
export interface VerificationRun extends LogRange {
  /** Everything below has been looked at. */
  readonly next: LogOffset
  readonly isDone: boolean
}

/** How far a slave's bytes have been compared with its master's. */
export interface VerificationView {
  /** In the background: everything from the beginning of the log to here. */
  readonly verifiedTo: LogOffset
  readonly comparedBytes: number
  /** Bytes that one of the two no longer had, or could not read. */
  readonly skippedBytes: number
  /** Ranges in which the two differ, as last compared. */
  readonly mismatches: readonly LogRange[]
  /** How many were found since the start of the master. */
  readonly found: number
  readonly run: VerificationRun | undefined
}

/** What both sides hold: the log below is gone here, what lies above is not confirmed or not there yet. */
export interface Comparable {
  readonly min: LogOffset
  readonly max: LogOffset
}

type Purpose = 'run' | 'background' | 'narrowing' | 'again'

/**
 * Which range of a slave's log is to be compared next, and what has come of it. One range at a time; one that differs is halved until it is
 * short enough to be named. It outlives connections: the next one goes on here.
 */
export class RangeVerification {
  #verifiedTo: LogOffset = 0
  #comparedBytes = 0
  #skippedBytes = 0
  #found = 0
  #mismatches: LogRange[] = []
  #run: VerificationRun | undefined
  /** Parts of a range that differs, the lowest last. */
  readonly #parts: LogRange[] = []
  /** Found in the range that is being narrowed. */
  #fresh: LogRange[] = []
  /** Known to differ when the slave came, and not looked at since. */
  #again: LogRange[] = []
  /** When the background began at the start of the log, monotonic ms. */
  #beganAt: number | undefined
  #asked: { readonly range: LogRange; readonly purpose: Purpose } | undefined

  get view(): VerificationView {
    return {
      verifiedTo: this.#verifiedTo,
      comparedBytes: this.#comparedBytes,
      skippedBytes: this.#skippedBytes,
      mismatches: this.#mismatches,
      found: this.#found,
      // What differs in its last part must have been found too.
      run: this.#run && { ...this.#run, isDone: this.#run.isDone && !this.#isNarrowing },
    }
  }

  get #isNarrowing(): boolean {
    return this.#parts.length > 0 || this.#asked?.purpose === 'narrowing'
  }

  /** Whether somebody waits: then it goes as fast as both sides answer. */
  isUrgent(comparable: Comparable): boolean {
    return this.#parts.length > 0 || this.#run?.isDone === false || this.#dueAgain(comparable) !== undefined
  }

  /** The slave is here, for the first time or again: what differed may have been repaired while it was away. */
  resume(now: number): void {
    this.#beganAt ??= now
    this.#again = [...this.#mismatches]
  }

  /** Compares this range, whatever was compared before. A run that is under way is replaced. */
  begin(range: LogRange): void {
    this.#run = { ...range, next: range.from, isDone: range.from >= range.to }
  }

  /** The background begins again at the start of the log, `againMs` after it began there last, however often the slave came since. Returns whether it does. */
  restart(now: number, againMs: number): boolean {
    if (now - (this.#beganAt ?? now) < againMs) return false
    this.#beganAt = now
    this.#verifiedTo = 0
    return true
  }

  /** What to ask the slave for; `undefined`: nothing now. */
  next({ min, max }: Comparable): LogRange | undefined {
    this.#mismatches = this.#mismatches.filter(({ to }) => to > min)
    const part = this.#parts.pop()
    if (part !== undefined) return this.#ask(part, 'narrowing')
    const known = this.#dueAgain({ min, max })
    if (known !== undefined) {
      this.#again = this.#again.filter((range) => range !== known)
      return this.#ask(known, 'again')
    }
    if (this.#run?.isDone === false) {
      const at = Math.max(this.#run.next, min)
      this.#run = { ...this.#run, next: at, isDone: at >= this.#run.to }
      const to = Math.min(this.#run.to, at + VERIFIED_BYTES_MAX, max)
      if (!this.#run.isDone) return to > at ? this.#ask({ from: at, to }, 'run') : undefined
    }
    const from = Math.max(this.#verifiedTo, min)
    const to = Math.min(from + VERIFIED_BYTES_MAX, max)
    return to > from ? this.#ask({ from, to }, 'background') : undefined
  }

  /** The slave has answered; `undefined`: one of the two could not say. Returns ranges that were found to differ. */
  answered(isEqual: boolean | undefined): readonly LogRange[] {
    const asked = this.#asked
    if (asked === undefined) return []
    this.#asked = undefined
    const { range, purpose } = asked
    if (purpose === 'again') {
      if (isEqual === true) this.#forget(range)
      return []
    }
    const size = range.to - range.from
    if (purpose === 'run' && this.#run !== undefined)
      this.#run = { ...this.#run, next: range.to, isDone: range.to >= this.#run.to }
    if (purpose === 'background') this.#verifiedTo = range.to
    if (purpose !== 'narrowing' && isEqual !== undefined) this.#comparedBytes += size
    if (isEqual === undefined) this.#skippedBytes += size
    else if (isEqual) this.#forget(range)
    else if (size > NARROWED_BYTES) this.#halve(range)
    else this.#note(range)
    if (this.#parts.length > 0) return []
    const fresh = this.#fresh
    this.#fresh = []
    this.#found += fresh.length
    this.#mismatches = [...this.#mismatches, ...fresh].slice(-MISMATCHES_MAX)
    return fresh
  }

  /** The connection is gone, or nobody answers: what was asked is asked again. */
  abandoned(): void {
    if (this.#asked?.purpose === 'narrowing') this.#parts.push(this.#asked.range)
    if (this.#asked?.purpose === 'again') this.#again.push(this.#asked.range)
    this.#asked = undefined
  }

  #dueAgain({ min, max }: Comparable): LogRange | undefined {
    return this.#again.find(({ from, to }) => from >= min && to <= max)
  }

  #ask(range: LogRange, purpose: Purpose): LogRange {
    this.#asked = { range, purpose }
    return range
  }

  #halve({ from, to }: LogRange): void {
    const middle = from + Math.ceil((to - from) / 2)
    this.#parts.push({ from: middle, to }, { from, to: middle })
  }

  #note(range: LogRange): void {
    this.#forget(range)
    const last = this.#fresh.at(-1)
    if (last?.to === range.from) this.#fresh[this.#fresh.length - 1] = { from: last.from, to: range.to }
    else this.#fresh.push(range)
  }

  /** What was said of these bytes before is no longer true, or is said anew. */
  #forget({ from, to }: LogRange): void {
    this.#mismatches = this.#mismatches.filter((known) => known.to <= from || known.from >= to)
  }
}
