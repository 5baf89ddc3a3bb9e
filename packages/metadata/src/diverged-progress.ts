import { RangeSet } from '@tandemmq/codec'
import type { Diverged, ProgressState, Unsettled } from './change.ts'
import type { LogKnowledge } from './log-knowledge.ts'
import type { QueueProgress } from './queue-progress.ts'
import { SettlingGate } from './settling-gate.ts'

/**
 * What has to be forgotten of `queues`, since the log has lost the records that it is about, or the internal writes that settled them (rules 5.2, 5.5). `now` is
 * monotonic.
 */
export function divergedProgress(
  queues: Iterable<QueueProgress>,
  log: LogKnowledge,
  now: number,
): (Diverged | Unsettled)[] {
  return [...queues].flatMap((queue) => {
    const state = queue.state(now)
    const end = divergenceOf(state, log)
    const diverged: readonly (Diverged | Unsettled)[] =
      end === undefined ? [] : [{ kind: 'diverged', ...keyOf(queue), end }]
    return [...diverged, ...unsettledIn(queue, state, log)]
  })
}

/** As {@link divergedProgress}, only of what was settled by writes that are lost. */
export function unsettledProgress(
  queues: Iterable<QueueProgress>,
  log: LogKnowledge,
  now: number,
): Unsettled[] {
  return [...queues].flatMap((queue) => unsettledIn(queue, queue.state(now), log))
}

/** From where on nothing counts that a broker knows of a queue itself, since its log has lost the records; undefined: all of it counts. */
function divergenceOf(
  { topic, queueId, marks, leases, settling }: ProgressState,
  log: LogKnowledge,
): number | undefined {
  if (new SettlingGate(settling, log).isAllInDoubt) return 0
  const lost = [...marks, ...leases].filter(({ stamp }) => log.knowsStamp(stamp) === false)
  const ends = lost.map(({ queueOffset, stamp }) =>
    Math.min(queueOffset, log.queueEnd?.(topic, queueId, stamp.logEpoch) ?? 0),
  )
  return ends.length === 0 ? undefined : Math.min(...ends)
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
