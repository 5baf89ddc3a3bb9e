import { messageOf } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'
import type { ReplicatedLog } from './replicated-log.ts'

export interface SlaveDiskEvents {
  /** Everything below is on stable storage. */
  flushed(position: number): void
  failed(words: string): void
}

/** What a slave's session asks of the disk and waits for. One flush runs at a time and covers all that came before it. */
export class SlaveDisk {
  readonly #log: ReplicatedLog
  readonly #on: SlaveDiskEvents
  #isFlushing = false
  #isFlushWanted = false

  constructor(log: ReplicatedLog, on: SlaveDiskEvents) {
    this.#log = log
    this.#on = on
  }

  flush(): void {
    this.#isFlushWanted = true
    if (!this.#isFlushing) void this.#flushWhileWanted()
  }

  /** Resolves to why it failed, undefined if it did not. */
  async adopt(lineage: Lineage): Promise<string | undefined> {
    return this.#problemOf(this.#log.adoptLineage(lineage))
  }

  /** As {@link adopt}. */
  cut(at: number, isCommon?: boolean): Promise<string | undefined> {
    return this.#problemOf(this.#log.truncateTo(at, isCommon))
  }

  async #flushWhileWanted(): Promise<void> {
    this.#isFlushing = true
    while (this.#isFlushWanted) {
      this.#isFlushWanted = false
      const target = this.#log.end // Read before the flush: bytes that arrive during it are not covered.
      const problem = await this.#problemOf(this.#log.flush())
      if (problem === undefined) this.#on.flushed(target)
      else this.#on.failed(problem)
    }
    this.#isFlushing = false
  }

  async #problemOf(task: Promise<void>): Promise<string | undefined> {
    try {
      await task
      return undefined
    } catch (error) {
      return messageOf(error)
    }
  }
}
