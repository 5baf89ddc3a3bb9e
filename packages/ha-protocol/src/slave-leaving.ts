import type { SlaveEffect, SlaveStep, SlaveStreaming } from './slave-state.ts'

/** From here on sends are refused instead of waiting for this slave; those that wait already are still served. */
export function beginLeaving(state: SlaveStreaming, now: number): SlaveStep {
  const control = { writable: false, problem: 'this slave stops', leaving: true }
  return {
    state: { ...state, spokeAt: now, leaving: { since: now } },
    effects: [{ kind: 'send-control', control }],
  }
}

/** Stops once everything that counts on a leaving slave is reported. */
export function ifLeft(state: SlaveStreaming, effects: readonly SlaveEffect[]): SlaveStep {
  const countsTo = state.leaving?.countsTo
  const isDone = countsTo !== undefined && state.reported !== undefined && state.reported >= countsTo
  if (!isDone) return { state, effects }
  const last = stopped('told')
  return { state: last.state, effects: [...effects, ...last.effects] }
}

/** Hung up for good. `told`: what was said last is still sent. */
export function stopped(manner: 'told' | 'silent'): SlaveStep {
  const refusal = { reason: 'stopped', words: 'this slave stops' }
  return { state: { kind: 'stopped' }, effects: [{ kind: 'hang-up', refusal, manner }] }
}
