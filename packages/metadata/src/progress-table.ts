import type { QueueKey } from './change.ts'
import { QueueProgress } from './queue-progress.ts'
import { SettlingBudget } from './settling-budget.ts'

/** The progress of every group on every queue. */
export class ProgressTable {
  /** By group, topic, queue. */
  readonly #groups = new Map<string, Map<string, Map<number, QueueProgress>>>()
  readonly #topics = new Map<string, QueueProgress[]>()
  readonly #settlingBudget = new SettlingBudget()

  /** What is known; undefined where the group has no progress yet. */
  find(group: string, topic: string, queueId: number): QueueProgress | undefined {
    return this.#groups.get(group)?.get(topic)?.get(queueId)
  }

  /** As {@link find}, but an empty progress where there is none. Do not keep it: the first commit makes another. */
  queue(group: string, topic: string, queueId: number): QueueProgress {
    return this.find(group, topic, queueId) ?? new QueueProgress({ group, topic, queueId })
  }

  /** For the owner of the table: makes the progress if there is none. */
  obtain(key: QueueKey): QueueProgress {
    const topics = obtain(this.#groups, key.group, () => new Map<string, Map<number, QueueProgress>>())
    const queues = obtain(topics, key.topic, () => new Map<number, QueueProgress>())
    return obtain(queues, key.queueId, () => {
      const made = new QueueProgress(key, this.#settlingBudget)
      obtain(this.#topics, key.topic, () => []).push(made)
      return made
    })
  }

  /** Every group with each topic of which it has progress. */
  *pairs(): Generator<{ readonly group: string; readonly topic: string }> {
    for (const [group, topics] of this.#groups) for (const topic of topics.keys()) yield { group, topic }
  }

  *all(): Generator<QueueProgress> {
    for (const topics of this.#groups.values()) {
      for (const queues of topics.values()) yield* queues.values()
    }
  }

  *ofGroup(group: string): Generator<QueueProgress> {
    for (const queues of this.#groups.get(group)?.values() ?? []) yield* queues.values()
  }

  *ofGroupTopic(group: string, topic: string): Generator<QueueProgress> {
    yield* this.#groups.get(group)?.get(topic)?.values() ?? []
  }

  *ofTopic(topic: string): Generator<QueueProgress> {
    yield* this.#topics.get(topic) ?? []
  }
}

function obtain<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
