import type { LogView } from './replicated-log.ts'
import { streamFrom } from './slave-handshake.ts'
import { leave } from './slave-parting.ts'
import type { Attempt, SlaveComparing, SlaveContext, SlaveEvent, SlaveStep } from './slave-state.ts'

/**
 * Following a genuine Apache master (rule 2.6). Its protocol has no hello: all that can be learned of its log is the log itself. So we
 * ask for bytes that we have, and append nothing before they have come and are the same.
 */

/** How much of the end is asked for again. */
export const OVERLAP_BYTES = 64 * 1024
/** A master that has said nothing but heartbeats for so long does not have these bytes. */
const COMPARE_WITHIN_MS = 6_000

/** The connection to an Apache master stands. */
export function askApache(attempt: Attempt, now: number, { config, view }: SlaveContext): SlaveStep {
  const log = view()
  if (log.begin === log.end) return follow('any', attempt, now, config)
  const from = overlapFrom(log, config.overlapBytes)
  if (from === log.end || attempt.isUncompared === true) return follow(log.end, attempt, now, config)
  return {
    state: {
      kind: 'comparing',
      failures: attempt.failures,
      ...(attempt.trouble === undefined ? {} : { trouble: attempt.trouble }),
      from,
      next: from,
      bodyLeft: 0,
      comparedAt: now,
    },
    effects: [{ kind: 'report', position: from }],
  }
}

/** A frame's header, while we compare: it goes on where the last one ended, and may lead beyond our end. */
export function onComparedFrame(
  state: SlaveComparing,
  frame: Extract<SlaveEvent, { kind: 'frame' }>,
  { view }: SlaveContext,
): SlaveStep {
  const { segmentBytes } = view()
  if (frame.offset !== state.next) {
    return leave(
      state,
      { reason: 'violation', words: `a frame at ${frame.offset}, asked was for ${state.next}` },
      'back-off',
    )
  }
  if ((frame.offset % segmentBytes) + frame.size > segmentBytes) {
    const words = `a frame of ${frame.size} bytes at ${frame.offset} crosses the end of a segment`
    return leave(state, { reason: 'violation', words }, 'back-off')
  }
  return { state: { ...state, bodyLeft: frame.size }, effects: [] }
}

/** Bytes that we have too. Different ones are for the operator: which log is the true one, no machine can say. */
export function onOverlap(
  state: SlaveComparing,
  { size, differsAt }: Extract<SlaveEvent, { kind: 'overlap' }>,
  now: number,
  { config, view }: SlaveContext,
): SlaveStep {
  const next = state.next + size
  if (differsAt !== undefined) {
    const words = `the logs of slave and master differ at ${differsAt}: one of them must be emptied by hand`
    return leave(state, { reason: 'bytes-differ', words }, 'slowly')
  }
  const bodyLeft = state.bodyLeft - size
  if (next < view().end) return { state: { ...state, next, bodyLeft, comparedAt: now }, effects: [] }
  const following = follow(next, { failures: state.failures }, now, config)
  if (following.state.kind !== 'streaming') return following
  return { state: { ...following.state, bodyLeft }, effects: following.effects }
}

/** When {@link onComparisonTick} wants to be asked. */
export function comparisonDeadline({ comparedAt }: SlaveComparing): number {
  return comparedAt + COMPARE_WITHIN_MS
}

/** Nothing but heartbeats for a while. */
export function onComparisonTick(state: SlaveComparing, { view }: SlaveContext): SlaveStep {
  const { end } = view()
  if (state.next > state.from) {
    // What it has is ours, but it has less: whatever it appends now would be another log.
    const words = `the master's log ends at ${state.next}, ours at ${end}: it has lost its tail, or is another one`
    return leave(state, { reason: 'ahead-of-master', words }, 'slowly')
  }
  const words = `the master does not send what lies between ${state.from} and ${end}: nothing was compared, going on at ${end}`
  const step = leave(state, { reason: 'not-compared', words }, 'at-once')
  if (step.state.kind !== 'leaving') return step
  return { state: { ...step.state, isUncompared: true }, effects: step.effects }
}

function follow(
  at: number | 'any',
  attempt: Attempt,
  now: number,
  config: SlaveContext['config'],
): SlaveStep {
  return streamFrom(at, attempt, now, config, { flushFirst: config.flush === 'always', counted: true })
}

/** Never 0, which asks for Apache's last file, and never another file than the one our last byte is in. */
function overlapFrom(log: LogView, overlapBytes: number): number {
  const lastFile = log.end - 1 - ((log.end - 1) % log.segmentBytes)
  return Math.max(1, log.begin, log.end - overlapBytes, lastFile)
}
