import type { QueueOffset } from '@tandemmq/base'

/** Scheduled messages of one topic that are due, by their offsets in the timer queue, in the order in which they became so. Only grows. */
export type DueList = readonly QueueOffset[]

/** What of a {@link DueList} a group is not done with yet, as far as it was looked at. */
export class DueOfGroup {
  readonly list: DueList
  #open: QueueOffset[] = []
  /** In the list: what comes from there on is not in `#open` yet. */
  #next = 0

  constructor(list: DueList) {
    this.list = list
  }

  /**
   * Looks at what is open until `look` returns false. What `isOver` is passed over, and never comes again. `ahead` gives those that come next, the one at hand included.
   */
  visit(
    isOver: (offset: QueueOffset) => boolean,
    look: (offset: QueueOffset, ahead: (count: number) => readonly QueueOffset[]) => boolean,
  ): void {
    const open = this.#open
    while (this.#next < this.list.length) open.push(this.list[this.#next++] ?? 0)
    let kept = 0
    let index = 0
    for (let goesOn = true; goesOn && index < open.length; index += 1) {
      const offset = open[index] ?? 0
      if (isOver(offset)) continue
      const at = index
      open[kept++] = offset
      goesOn = look(offset, (count) => open.slice(at, at + count))
    }
    open.splice(kept, index - kept)
  }
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
