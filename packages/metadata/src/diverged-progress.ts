import { RangeSet } from '@tandemmq/codec'
import type { Diverged, Mark, ProgressState, QueueKey, Unsettled } from './change.ts'
import { NOTHING_HELD, heldBefore, type HeldPart, type LogKnowledge } from './log-knowledge.ts'
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
    const { kept, isDecided } = divergenceOf(state, log)
    if (kept !== undefined) {
      const { end, last } = kept
      // The last of what is kept is marked: another cut may take that too.
      changes.push({ kind: 'diverged', ...keyOf(queue), end, ...(last && { last }) })
    }
    changes.push(...unsettledIn(queue, state, log))
    if (!isDecided) undecided.push(queue)
  }
  return { changes, undecided }
}

interface Divergence {
  /** The part that counts of what a broker knows of a queue itself, since its log has lost other records; undefined: all of it does. */
  readonly kept: HeldPart | undefined
  /** False: where the part ends that the log keeps of an epoch is to be seen once that is copied. What is known of it counts until then. */
  readonly isDecided: boolean
}

function divergenceOf(state: ProgressState, log: LogKnowledge): Divergence {
  if (new SettlingGate(state.settling, log).isAllInDoubt) return { kept: NOTHING_HELD, isDecided: true }
  const parts = [...state.marks, ...state.leases]
    .filter(({ stamp }) => log.knowsStamp(stamp) === false)
    // Whatever is lost of an epoch, what is left of older ones was before it.
    .map((lost) => [lost, ...state.marks.filter((mark) => mark.stamp.logEpoch < lost.stamp.logEpoch)])
    .map((marks) => marks.map((mark) => partOf(mark, state, log)).reduce(longer))
  const decided = parts.filter(({ mayGrow }) => !mayGrow)
  return {
    kept: decided.length === 0 ? undefined : decided.reduce(shorter),
    isDecided: decided.length === parts.length,
  }
}

/** What the log holds of what lies before a mark in its queue, and of the marked record. */
function partOf(mark: Mark, key: QueueKey, log: LogKnowledge): HeldPart {
  const { queueOffset, stamp } = mark
  const known = log.knowsStamp(stamp)
  if (known === true) return { end: queueOffset + 1, last: { queueOffset, stamp }, mayGrow: false }
  const part = heldBefore(mark, key, log)
  return { ...part, mayGrow: part.mayGrow || known === 'later' }
}

function longer(one: HeldPart, other: HeldPart): HeldPart {
  return { ...(other.end > one.end ? other : one), mayGrow: one.mayGrow || other.mayGrow }
}

function shorter(one: HeldPart, other: HeldPart): HeldPart {
  return other.end < one.end ? other : one
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
