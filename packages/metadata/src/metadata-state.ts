import { unreachable } from '@tandemmq/base'
import type { Change, Cut, QueueKey } from './change.ts'
import { ConfigTable } from './config-table.ts'
import { CURSOR_ZERO } from './cursor.ts'
import { DELAY_KEY, DelayProgress } from './delay-progress.ts'
import { GENERATION_ZERO, type Generation } from './generation.ts'
import type { GroupConfig } from './group-config.ts'
import { ProgressTable } from './progress-table.ts'
import type { QueueProgress } from './queue-progress.ts'
import type { TopicConfig } from './topic-config.ts'

/** The tables, and the one function that changes them. */
export class MetadataState {
  readonly topics = new ConfigTable<TopicConfig>()
  readonly groups = new ConfigTable<GroupConfig>()
  readonly progress = new ProgressTable()
  readonly delay = new DelayProgress(this.progress)

  /**
   * Applies one change; false if it changed nothing. `now` is monotonic. Applying a change again changes nothing, so
   * copies of changes may circulate without end.
   */
  apply(change: Change, now: number): boolean {
    switch (change.kind) {
      case 'topic-put':
        return this.topics.put(change.topic, change.version ?? CURSOR_ZERO)
      case 'group-put':
        return this.groups.put(change.group, change.version ?? CURSOR_ZERO)
      case 'topic-delete':
        if (!this.topics.delete(change.name, change.version ?? CURSOR_ZERO, change.generation)) return false
        return voidAll(this.progress.ofTopic(change.name), change.generation)
      case 'group-delete':
        if (!this.groups.delete(change.name, change.version ?? CURSOR_ZERO, change.generation)) return false
        return voidAll(this.progress.ofGroup(change.name), change.generation)
      case 'lease':
        return this.#each(change, change.deliveries, (queue, delivery) =>
          queue.deliver(delivery, change.servingEpoch, change.generation ?? queue.generation, now),
        )
      case 'visibility':
        return this.#each(change, [change.delivery], (queue, delivery) =>
          queue.deliver(delivery, change.servingEpoch, change.generation ?? queue.generation, now),
        )
      case 'ack':
        return this.#each(change, change.records, (queue, record) =>
          queue.ack(record, change.generation ?? queue.generation),
        )
      case 'delay':
        return this.#each(DELAY_KEY, change.done, (queue, record) =>
          queue.ack(record, change.generation ?? queue.generation),
        )
      case 'delay-levels':
        return this.delay.raiseLevels(change.levels)
      case 'moved': {
        let changed = false
        for (const queue of this.delay.served()) changed = queue.forget(change.from, change.to) || changed
        return changed
      }
      case 'reset':
        return this.progress.obtain(change).reset(change.to, change.generation)
      case 'cut':
        return this.#cut(change)
      case 'diverged':
        return this.progress.obtain(change).forgetFrom(change.end, change.last)
      case 'unsettled':
        return this.#each(change, change.offsets, (queue, [from, to]) => queue.forget(from, to))
      case 'progress':
        return this.progress.obtain(change).merge(change, now)
      default:
        return unreachable(change)
    }
  }

  #each<T>(key: QueueKey, items: readonly T[], apply: (queue: QueueProgress, item: T) => boolean): boolean {
    if (items.length === 0) return false
    const queue = this.progress.obtain(key)
    let changed = false
    for (const item of items) changed = apply(queue, item) || changed
    return changed
  }

  #cut(change: Cut): boolean {
    let changed = false
    for (const { topic, queueId, end } of change.ends) {
      for (const queue of this.progress.ofTopic(topic)) {
        if (queue.queueId === queueId) changed = queue.cut(end, change.generation) || changed
      }
    }
    return changed
  }
}

/** Always true: the deletion itself is a change. */
function voidAll(queues: Iterable<QueueProgress>, generation: Generation = GENERATION_ZERO): true {
  for (const queue of queues) queue.reset(0, generation)
  return true
}
