import { invariant } from '@tandemmq/base'
import { encodeAnswer, encodeHandshake } from '@tandemmq/codec'
import type { Hello } from '@tandemmq/codec'
import type { Alignment } from './alignment.ts'
import { frameProblem } from './frame-order.ts'
import type { MasterBorrowing, MasterContext, MasterEvent, MasterStep } from './master-state.ts'

type Borrow = Extract<Alignment, { kind: 'borrow' }>

/**
 * A slave has proven that it holds our log and what is missing at its end (rule 3.2). Its ancestry comes first: an epoch of ours that
 * the slave does not know begins where our log ends, and the borrowed bytes are older than it.
 */
export function startBorrowing(peer: Hello, { at, to, lineage }: Borrow, now: number): MasterStep {
  return {
    state: { kind: 'borrowing', peer, next: at, to, bodyLeft: 0, heardAt: now, saidAt: now },
    effects: [{ kind: 'adopt', lineage }],
  }
}

export function onAdopted(state: MasterBorrowing, now: number): MasterStep {
  const bytes = encodeHandshake('answer', encodeAnswer({ kind: 'lend', at: state.next }))
  return {
    state: { ...state, heardAt: now, saidAt: now },
    effects: [
      { kind: 'start-borrowing', at: state.next },
      { kind: 'answer', bytes },
    ],
  }
}

export function onBorrowedFrame(
  state: MasterBorrowing,
  frame: Extract<MasterEvent, { kind: 'frame' }>,
  now: number,
  { view }: MasterContext,
): MasterStep | string {
  const problem = frameProblem(frame, state.next, view().segmentBytes)
  if (problem !== undefined) return problem
  return { state: { ...state, bodyLeft: frame.size, heardAt: now }, effects: [] }
}

export function onBorrowedPiece(
  state: MasterBorrowing,
  piece: Extract<MasterEvent, { kind: 'piece' }>,
  now: number,
): MasterStep {
  invariant(piece.offset === state.next && piece.size <= state.bodyLeft, 'pieces continue their frame')
  const next = piece.offset + piece.size
  return {
    state: { ...state, next, bodyLeft: state.bodyLeft - piece.size, heardAt: now },
    effects: [
      { kind: 'append', offset: piece.offset },
      ...(state.next < state.to && next >= state.to ? [{ kind: 'keep' } as const] : []),
    ],
  }
}

/** The slave comes again, as any slave. */
export function onKept({ peer }: MasterBorrowing): MasterStep {
  const refusal = { reason: 'tail-borrowed', words: 'the master has what its log lacked' }
  return {
    state: { kind: 'closed' },
    effects: [
      { kind: 'borrowed', from: peer.identity },
      { kind: 'hang-up', refusal, manner: 'silent' },
    ],
  }
}
