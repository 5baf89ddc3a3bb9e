import type { LogOffset } from '@tandemmq/base'
import { leave, parting } from './slave-parting.ts'
import type { Attempt, Lending, SlaveConfig, SlaveContext, SlaveStep } from './slave-state.ts'

/** The master lacks what we hold from `at` on (rule 3.2): the stream runs the other way, up to the end of our log. */
export function startLending(state: Attempt, at: LogOffset, now: number, { view }: SlaveContext): SlaveStep {
  const { begin, end } = view()
  if (at < begin || at > end) {
    const words = `the master wants our log from ${at} on, it goes from ${begin} to ${end}`
    return parting(state, { reason: 'wrong-start', words })
  }
  return {
    state: { kind: 'lending', failures: state.failures, since: now, heardAt: now, spokeAt: now },
    effects: [{ kind: 'lend', at }],
  }
}

/** Who borrows has nothing to send but heartbeats. */
export function onLendersFrame(
  state: Lending,
  frame: { readonly size: number },
  now: number,
): SlaveStep | string {
  if (frame.size > 0) return 'the master borrows our log and sends bytes of its own'
  return { state: { ...state, heardAt: now }, effects: [] }
}

export function lendingDeadline(state: Lending, { timings }: SlaveConfig): number {
  return Math.min(state.heardAt + timings.silenceMs, state.spokeAt + timings.heartbeatMs)
}

export function onLendingTick(state: Lending, now: number, { timings }: SlaveConfig): SlaveStep {
  if (now - state.heardAt < timings.silenceMs) {
    return { state: { ...state, spokeAt: now }, effects: [{ kind: 'lend-heartbeat' }] }
  }
  const words = `nothing was heard of the master that borrows for ${Math.round(now - state.heardAt)} ms`
  return leave(state, { reason: 'silence', words }, 'back-off')
}
