import type { QueueOffset } from '@tandemmq/base'
import { RangeSet } from '@tandemmq/codec'
import type { Diverged, ProgressState, Unsettled } from './change.ts'
import type { LogKnowledge } from './log-knowledge.ts'
import type { QueueProgress } from './queue-progress.ts'
import { SettlingGate } from './settling-gate.ts'

/** What has to be forgotten of some queues, and of which of them that cannot be said yet. */
export interface DivergedProgress {
  readonly changes: readonly (Diverged | Unsettled)[]
  readonly undecided: readonly QueueProgress[]
}

/**
 * What has to be forgotten of `queues`, since the log has lost the records that it is about, or the internal writes that settled them (rules 5.2, 5.5). `now` is
 * monotonic.
 */
export function divergedProgress(
  queues: Iterable<QueueProgress>,
  log: LogKnowledge,
  now: number,
): DivergedProgress {
  const changes: (Diverged | Unsettled)[] = []
  const undecided: QueueProgress[] = []
  for (const queue of queues) {
    const state = queue.state(now)
    const { end, isDecided } = divergenceOf(state, log)
    if (end !== undefined) changes.push({ kind: 'diverged', ...keyOf(queue), end })
    changes.push(...unsettledIn(queue, state, log))
    if (!isDecided) undecided.push(queue)
  }
  return { changes, undecided }
}

/** As {@link divergedProgress}, only of what was settled by writes that are lost. */
export function unsettledProgress(
  queues: Iterable<QueueProgress>,
  log: LogKnowledge,
  now: number,
): Unsettled[] {
  return [...queues].flatMap((queue) => unsettledIn(queue, queue.state(now), log))
}

interface Divergence {
  /** From here on nothing counts that a broker knows of a queue itself, since its log has lost the records; undefined: all of it counts. */
  readonly end: QueueOffset | undefined
  /** False: where the part ends that the log keeps of an epoch is to be seen once that is copied. What is known of it counts until then. */
  readonly isDecided: boolean
}

function divergenceOf(
  { topic, queueId, marks, leases, settling }: ProgressState,
  log: LogKnowledge,
): Divergence {
  if (new SettlingGate(settling, log).isAllInDoubt) return { end: 0, isDecided: true }
  let end: QueueOffset | undefined
  let isDecided = true
  for (const { queueOffset, stamp } of [...marks, ...leases]) {
    if (log.knowsStamp(stamp) !== false) continue
    const kept = log.queueEnd?.(topic, queueId, stamp.logEpoch) ?? 0
    if (kept === 'later') isDecided = false
    else end = Math.min(end ?? Infinity, queueOffset, kept)
  }
  return { end, isDecided }
}

function unsettledIn(queue: QueueProgress, { settling }: ProgressState, log: LogKnowledge): Unsettled[] {
  const { lost } = new SettlingGate(settling, log)
  if (lost.length === 0) return []
  const offsets = RangeSet.of(lost.map((offset) => [offset, offset + 1] as const))
  return [{ kind: 'unsettled', ...keyOf(queue), offsets: [...offsets.ranges()] }]
}

function keyOf({ group, topic, queueId }: QueueProgress) {
  return { group, topic, queueId }
}
