import { invariant } from '@tandemmq/base'
import type { Control } from '@tandemmq/codec'
import { frameProblem } from './frame-order.ts'
import { ifLeft, stopped } from './slave-leaving.ts'
import { leave } from './slave-parting.ts'
import type {
  Pace,
  SlaveConfig,
  SlaveContext,
  SlaveEffect,
  SlaveStep,
  SlaveStreaming,
} from './slave-state.ts'

/** A header of the stream; a string: how it breaks the rules. Invariant: what is appended starts exactly where our log ends. */
export function onStreamedFrame(
  state: SlaveStreaming,
  frame: { readonly offset: number; readonly size: number },
  now: number,
  { view }: SlaveContext,
): SlaveStep | string {
  const problem = frameProblem(frame, state.next, view().segmentBytes)
  if (problem !== undefined) return problem
  // A heartbeat on an empty log says nothing yet about where it will begin.
  if (state.next === 'any' && frame.size > 0) {
    return stay({ ...state, from: frame.offset, next: frame.offset, bodyLeft: frame.size, heardAt: now })
  }
  return stay({ ...state, bodyLeft: frame.size, heardAt: now })
}

/** Bytes of the log have come. */
export function onPiece(
  state: SlaveStreaming,
  piece: { readonly offset: number; readonly size: number },
  now: number,
): SlaveStep {
  invariant(piece.offset === state.next && piece.size <= state.bodyLeft, 'pieces continue their frame')
  const next = piece.offset + piece.size
  return {
    state: { ...state, next, bodyLeft: state.bodyLeft - piece.size, heardAt: now },
    effects: [{ kind: 'append', offset: piece.offset }],
  }
}

/** What the master says beside the log. */
export function onControl(state: SlaveStreaming, control: Control, now: number): SlaveStep {
  const effects: SlaveEffect[] = []
  if (control.ping !== undefined) effects.push({ kind: 'send-control', control: { pong: control.ping } })
  if (control.check !== undefined) effects.push({ kind: 'answer-check', range: control.check })
  if (control.mismatch !== undefined) effects.push({ kind: 'learn-mismatch', range: control.mismatch })
  if (control.equal !== undefined) effects.push({ kind: 'learn-equal', range: control.equal })
  if (control.end !== undefined) effects.push({ kind: 'learn-end', position: control.end })
  if (control.confirmed !== undefined) effects.push({ kind: 'confirm', position: control.confirmed })
  if (control.abstain !== undefined) effects.push({ kind: 'asked-to-abstain', question: control.abstain })
  if (control.roster !== undefined) effects.push({ kind: 'learn-roster', names: control.roster })
  if (control.forgotten !== undefined) effects.push({ kind: 'learn-forgotten', names: control.forgotten })
  const heard = control.ping === undefined ? state : { ...state, spokeAt: now }
  const { leaving } = state
  if (leaving === undefined || control.countsTo === undefined) return { state: heard, effects }
  return ifLeft({ ...heard, leaving: { ...leaving, countsTo: control.countsTo } }, effects)
}

/** One report for all that one read has brought: each splits the batches in which the master's clients go on, and costs it a turn. */
export function onCaughtUp(state: SlaveStreaming, now: number): SlaveStep {
  // A header alone may have said where an empty log begins; that is nothing to report yet.
  if (state.next === 'any' || state.next === state.from || state.next === state.reported) return stay(state)
  if (state.flushFirst) return { state, effects: [{ kind: 'flush' }] }
  invariant(state.reported !== undefined && state.next > state.reported, 'reports only grow')
  return ifLeft({ ...state, reported: state.next, spokeAt: now }, [{ kind: 'report', position: state.next }])
}

/** What was appended is on disk, up to `flushed`: that may be reported now. */
export function onFlushed(state: SlaveStreaming, flushed: number, now: number): SlaveStep {
  // An empty log ends below the offset it was told to start at.
  const position = Math.max(flushed, state.from)
  invariant(state.next === 'any' || position <= state.next, 'only appended bytes are flushed')
  if (state.reported !== undefined && position <= state.reported) return stay(state)
  return ifLeft({ ...state, reported: position, spokeAt: now }, [{ kind: 'report', position }])
}

/** The master learns why nothing more comes, instead of waiting for it. */
export function onAppendFailed(state: SlaveStreaming, words: string): SlaveStep {
  const refusal = { reason: 'disk', words }
  return {
    state: { kind: 'leaving', failures: state.failures, trouble: refusal, pace: 'slowly' },
    effects: knowsControls(state)
      ? [
          { kind: 'send-control', control: { writable: false, problem: words } },
          { kind: 'hang-up', refusal, manner: 'told' },
        ]
      : [{ kind: 'hang-up', refusal, manner: 'silent' }],
  }
}

export function streamingDeadline(state: SlaveStreaming): number {
  const { heardAt, spokeAt, leaving, timings } = state
  return Math.min(
    heardAt + timings.silenceMs,
    spokeAt + timings.heartbeatMs,
    leaving === undefined ? Infinity : leaving.since + timings.leavingMs,
  )
}

export function onStreamingTick(state: SlaveStreaming, now: number, { config }: SlaveContext): SlaveStep {
  const { heardAt, leaving, timings } = state
  if (leaving !== undefined && now - leaving.since >= timings.leavingMs) return stopped('told')
  if (now - heardAt < timings.silenceMs) return speak(state, now)
  const words = `nothing was heard of the master for ${Math.round(now - heardAt)} ms`
  return leave(state, { reason: 'silence', words }, paceAfter(state, now, config))
}

/** A stream that had settled is taken up at once; one that broke at its start is not, or two peers would spin. */
export function paceAfter(state: SlaveStreaming, now: number, config: SlaveConfig): Pace {
  return now - state.since >= config.timings.settledMs ? 'at-once' : 'back-off'
}

/** Apache's master takes every eight bytes for a report. */
export function knowsControls(state: SlaveStreaming): boolean {
  return state.masterIdentity !== undefined
}

/** Nothing has happened for a while: repeat the last report, as Apache does, or at least say that we live. */
function speak(state: SlaveStreaming, now: number): SlaveStep {
  const said: SlaveEffect[] = []
  if (state.reported !== undefined) said.push({ kind: 'report', position: state.reported })
  else if (knowsControls(state)) said.push({ kind: 'send-control', control: { writable: true } })
  return { state: { ...state, spokeAt: now }, effects: said }
}

function stay(state: SlaveStreaming): SlaveStep {
  return { state, effects: [] }
}
