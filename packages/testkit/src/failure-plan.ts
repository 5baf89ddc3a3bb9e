/** Calls that can be made to fail. */
export type FileCall = 'open' | 'write' | 'truncate' | 'dataSync' | 'syncDirectory' | 'rename' | 'space'

export interface PlannedFailure {
  readonly call: FileCall
  readonly code: 'ENOSPC' | 'EIO' | 'EMFILE' | 'EACCES'
  /** Which of the matching calls fails, counted from now: 1 is the next one (default). */
  readonly nth?: number
  /** Only calls whose path matches count (default: all). */
  readonly matching?: RegExp
  /** All calls after the n-th fail too (default: that one alone). */
  readonly forever?: boolean
}

/** Decides which call of a simulated disk fails. */
export class FailurePlan {
  /** Calls that have failed as planned so far. */
  failed = 0
  #planned: { readonly failure: PlannedFailure; left: number }[] = []

  add(failure: PlannedFailure): void {
    this.#planned.push({ failure, left: failure.nth ?? 1 })
  }

  clear(): void {
    this.#planned = []
  }

  /** The code with which this call fails, if it does. Counts the call. */
  next(call: FileCall, path: string): PlannedFailure['code'] | undefined {
    for (const planned of this.#planned) {
      const { failure } = planned
      if (failure.call !== call || failure.matching?.test(path) === false) continue
      planned.left -= 1
      if (planned.left > 0) continue
      if (!failure.forever) this.#planned = this.#planned.filter((other) => other !== planned)
      this.failed += 1
      return failure.code
    }
    return undefined
  }
}
