import type { LogOffset } from '@tandemmq/base'
import type { Control } from '@tandemmq/codec'
import type { ReplicatedLog } from './replicated-log.ts'

/** What a slave tells its master for people to see: what is on its disk, and what its consumers can find. */
export class SlavePositions {
  readonly #log: ReplicatedLog
  readonly #dispatched: (() => LogOffset) | undefined
  #told: Control = {}

  constructor(log: ReplicatedLog, dispatched: (() => LogOffset) | undefined) {
    this.#log = log
    this.#dispatched = dispatched
  }

  /** What has changed since it was asked for last; undefined: nothing. `isNew`: on another connection, where nothing was told yet. */
  news(isNew: boolean): Control | undefined {
    if (isNew) this.#told = {}
    const flushed = this.#log.flushed
    const dispatched = this.#dispatched?.()
    if (flushed === this.#told.flushed && dispatched === this.#told.dispatched) return undefined
    this.#told = { flushed, ...(dispatched === undefined ? {} : { dispatched }) }
    return this.#told
  }
}
