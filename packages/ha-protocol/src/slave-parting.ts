import { encodeHandshake, encodeProof } from '@tandemmq/codec'
import type { Refusal } from '@tandemmq/codec'
import type { Attempt, Pace, SlaveStep } from './slave-state.ts'

/** Tells the master why we go, and goes. */
export function parting(state: Attempt, refusal: Refusal): SlaveStep {
  return {
    state: { kind: 'leaving', failures: state.failures, trouble: refusal, pace: 'slowly' },
    effects: [
      { kind: 'prove', bytes: encodeHandshake('proof', encodeProof({ refusal })) },
      { kind: 'hang-up', refusal, manner: 'told' },
    ],
  }
}

/** Goes without a word. */
export function leave(state: Attempt, refusal: Refusal, pace: Pace): SlaveStep {
  return {
    state: { kind: 'leaving', failures: state.failures, trouble: refusal, pace },
    effects: [{ kind: 'hang-up', refusal, manner: 'silent' }],
  }
}
