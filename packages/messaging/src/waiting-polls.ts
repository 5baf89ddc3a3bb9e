import { BrokerError } from '@tandemmq/base'
import type { Poll } from './poll.ts'

/** Apache's `popPollingSize` and `maxPopPollingSize`. */
const OF_ONE_GROUP_MAX = 1024
const ALL_MAX = 100_000

/** Who waits for messages: by topic and group, the longest waiting first. Bounded. */
export class WaitingPolls {
  readonly #topics = new Map<string, Map<string, Set<Poll>>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Throws `SYSTEM_BUSY` when too many wait already. */
  add(poll: Poll): void {
    const { topic, group } = poll.subscription
    let groups = this.#topics.get(topic)
    let polls = groups?.get(group)
    if (this.#size >= ALL_MAX || (polls?.size ?? 0) >= OF_ONE_GROUP_MAX) {
      throw new BrokerError('SYSTEM_BUSY', 'polling full', { facts: { topic, group } })
    }
    if (groups === undefined) {
      groups = new Map()
      this.#topics.set(topic, groups)
    }
    if (polls === undefined) {
      polls = new Set()
      groups.set(group, polls)
    }
    polls.add(poll)
    this.#size += 1
  }

  remove(poll: Poll): void {
    const { topic, group } = poll.subscription
    const groups = this.#topics.get(topic)
    const polls = groups?.get(group)
    if (!groups || !polls?.delete(poll)) return
    this.#size -= 1
    if (polls.size === 0) groups.delete(group)
    if (groups.size === 0) this.#topics.delete(topic)
  }

  hasTopic(topic: string): boolean {
    return this.#topics.has(topic)
  }

  /** Groups with polls on this topic. A copy: polls may come and go meanwhile. */
  groupsOf(topic: string): readonly string[] {
    return [...(this.#topics.get(topic)?.keys() ?? [])]
  }

  of(topic: string, group: string): readonly Poll[] {
    return [...(this.#topics.get(topic)?.get(group) ?? [])]
  }

  *pairs(): Iterable<{ readonly topic: string; readonly group: string }> {
    for (const [topic, groups] of this.#topics) for (const group of groups.keys()) yield { topic, group }
  }

  takeAll(): readonly Poll[] {
    const all: Poll[] = []
    for (const groups of this.#topics.values()) for (const polls of groups.values()) all.push(...polls)
    this.#topics.clear()
    this.#size = 0
    return all
  }
}
