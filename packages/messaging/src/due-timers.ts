import type { QueueOffset } from '@tandemmq/base'

/** Scheduled messages of one topic that are due, by their offsets in the timer queue, in the order in which they became so. Only grows. */
export type DueList = readonly QueueOffset[]

/** How far a group is in a {@link DueList}: it is done with everything before `at`. */
export interface DueCursor {
  readonly list: DueList
  at: number
}

/** What a slave that serves hands out without putting it into its topic (rule 5.6). */
export class DueTimers {
  readonly #topics = new Map<string, QueueOffset[]>()

  add(topic: string, queueOffset: QueueOffset): void {
    const list = this.#topics.get(topic)
    if (list) list.push(queueOffset)
    else this.#topics.set(topic, [queueOffset])
  }

  /** `undefined`: none is due. */
  of(topic: string): DueList | undefined {
    return this.#topics.get(topic)
  }

  clear(): void {
    this.#topics.clear()
  }
}
