import { invariant, unreachable } from '@tandemmq/base'
import type { Refusal } from '@tandemmq/codec'
import {
  askApache,
  comparisonDeadline,
  onComparedFrame,
  onComparisonTick,
  onOverlap,
} from './slave-comparison.ts'
import { greet, onAnswer, onEarlyAnswer, onMasterHello, streamFrom } from './slave-handshake.ts'
import { beginLeaving, stopped } from './slave-leaving.ts'
import { leave } from './slave-parting.ts'
import { lendingDeadline, onLendersFrame, onLendingTick } from './slave-lending.ts'
import {
  knowsControls,
  onAppendFailed,
  onCaughtUp,
  onControl,
  onFlushed,
  onPiece,
  onStreamedFrame,
  onStreamingTick,
  paceAfter,
  streamingDeadline,
} from './slave-streaming.ts'
import type {
  Attempt,
  Pace,
  SlaveContext,
  SlaveEffect,
  SlaveEvent,
  SlaveState,
  SlaveStep,
} from './slave-state.ts'

/** For an operator: nobody who is one speaks so. */
const IS_THAT_A_MASTER = 'is that the HA port of a master of TandemMQ?'

/** The slave's half of the HA protocol, without socket, log or clock. See {@link SlaveState} for the picture. */
export function stepSlave(
  state: SlaveState,
  event: SlaveEvent,
  now: number,
  context: SlaveContext,
): SlaveStep {
  if (state.kind === 'stopped') return stay(state)
  switch (event.kind) {
    case 'tick':
      return onTick(state, now, context)
    case 'connected':
      invariant(state.kind === 'connecting', `connected while ${state.kind}`)
      return onConnected(state, event, now, context)
    case 'connect-failed':
      invariant(state.kind === 'connecting', `a failed connect while ${state.kind}`)
      return retry(state, 'back-off', now, context, event.jitter, event.trouble)
    case 'master-hello':
      if (state.kind !== 'greeting') return violated(state, 'a hello that nobody asked for')
      return onMasterHello(state, event, context)
    case 'answer':
      if (state.kind === 'proving') return onAnswer(state, event.answer, now, context)
      return state.kind === 'greeting'
        ? onEarlyAnswer(state, event.answer)
        : violated(state, 'an answer too many')
    case 'adopted':
    case 'cut-done':
      return onDiskDone(state, now, context)
    case 'disk-failed':
      return retry(
        attemptOf(state),
        'slowly',
        now,
        context,
        0,
        { reason: 'disk', words: event.words },
        'silent',
      )
    case 'frame':
      if (state.kind === 'comparing') return onComparedFrame(state, event, context)
      if (state.kind === 'lending') return orViolated(state, onLendersFrame(state, event, now))
      if (state.kind !== 'streaming') return stay(state)
      return orViolated(state, onStreamedFrame(state, event, now, context))
    case 'overlap':
      return state.kind === 'comparing' ? onOverlap(state, event, now, context) : stay(state)
    case 'piece':
      return state.kind === 'streaming' ? onPiece(state, event, now) : stay(state)
    case 'control':
      if (context.config.peer === 'apache') return violated(state, 'a frame of negative size')
      return state.kind === 'streaming'
        ? onControl({ ...state, heardAt: now }, event.control, now)
        : stay(state)
    case 'caught-up':
      return state.kind === 'streaming' ? onCaughtUp(state, now) : stay(state)
    case 'flushed':
      return state.kind === 'streaming' && state.flushFirst
        ? onFlushed(state, event.position, now)
        : stay(state)
    case 'append-failed':
      return state.kind === 'streaming' ? onAppendFailed(state, event.words) : stay(state)
    case 'violation':
      return violated(state, event.words)
    case 'closed':
      return onClosed(state, event, now, context)
    case 'leave':
      return state.kind === 'streaming' && knowsControls(state) ? beginLeaving(state, now) : stopped('silent')
    case 'stop':
      return stopped('silent')
    default:
      return unreachable(event)
  }
}

/** When {@link stepSlave} wants its next tick; undefined: never. */
export function slaveDeadline(state: SlaveState, { config }: SlaveContext): number | undefined {
  switch (state.kind) {
    case 'disconnected':
      return state.retryAt
    case 'connecting':
    case 'greeting':
    case 'proving':
      return state.since + config.timings.handshakeMs
    case 'comparing':
      return comparisonDeadline(state)
    case 'streaming':
      return streamingDeadline(state)
    case 'lending':
      return lendingDeadline(state, config)
    case 'adopting':
    case 'cutting':
    case 'leaving':
    case 'stopped':
      return undefined
    default:
      return unreachable(state)
  }
}

function onTick(state: SlaveState, now: number, context: SlaveContext): SlaveStep {
  const due = slaveDeadline(state, context)
  if (due === undefined || now < due) return stay(state)
  switch (state.kind) {
    case 'disconnected':
      return { state: { kind: 'connecting', ...attemptOf(state), since: now }, effects: [{ kind: 'dial' }] }
    case 'connecting':
      return leave(state, { reason: 'unreachable', words: 'the master does not answer' }, 'back-off')
    case 'greeting':
    case 'proving': {
      const words = `no handshake within ${context.config.timings.handshakeMs} ms: ${IS_THAT_A_MASTER}`
      return leave(state, { reason: 'late-handshake', words }, 'back-off')
    }
    case 'comparing':
      return onComparisonTick(state, context)
    case 'streaming':
      return onStreamingTick(state, now, context)
    case 'lending':
      return onLendingTick(state, now, context.config)
    case 'adopting':
    case 'cutting':
    case 'leaving':
    case 'stopped':
      return stay(state)
    default:
      return unreachable(state)
  }
}

function onConnected(
  state: Attempt,
  event: Extract<SlaveEvent, { kind: 'connected' }>,
  now: number,
  context: SlaveContext,
): SlaveStep {
  if (context.config.peer === 'tandemmq') return greet(attemptOf(state), event, now, context)
  return askApache(attemptOf(state), now, context)
}

function onDiskDone(state: SlaveState, now: number, context: SlaveContext): SlaveStep {
  if (state.kind === 'cutting') return retry(state, 'at-once', now, context, 0, state.trouble)
  if (state.kind !== 'adopting') return stay(state)
  if (state.isOrphan) return retry(state, 'back-off', now, context, 0, state.trouble)
  const { flushFirst, counted, masterIdentity } = state
  return streamFrom(state.at, state, now, context.config, { flushFirst, counted, masterIdentity })
}

function onClosed(
  state: SlaveState,
  event: { readonly words?: string; readonly jitter: number },
  now: number,
  context: SlaveContext,
): SlaveStep {
  const trouble = { reason: 'closed', words: event.words ?? 'the master closed the connection' }
  switch (state.kind) {
    case 'streaming':
      return retry(state, paceAfter(state, now, context.config), now, context, event.jitter, trouble)
    case 'connecting':
    case 'greeting':
    case 'proving':
    case 'comparing':
    case 'lending':
      return retry(state, 'back-off', now, context, event.jitter, trouble)
    case 'leaving':
      return retry(state, state.pace, now, context, event.jitter, state.trouble)
    case 'adopting':
      return stay({ ...state, isOrphan: true })
    case 'cutting':
    case 'disconnected':
    case 'stopped':
      return stay(state)
    default:
      return unreachable(state)
  }
}

function retry(
  attempt: Attempt,
  pace: Pace,
  now: number,
  { config }: SlaveContext,
  jitter: number,
  trouble: Refusal | undefined,
  hangingUp?: 'silent',
): SlaveStep {
  const failures = pace === 'at-once' ? 0 : attempt.failures + 1
  const { backOffMs, backOffMaxMs, refusedMs } = config.timings
  const window = pace === 'slowly' ? refusedMs : Math.min(backOffMs * 2 ** (failures - 1), backOffMaxMs)
  // Half of the window for certain, so that a dead master is not hammered; half by chance, so that slaves spread.
  const delay = pace === 'at-once' ? 0 : Math.round(window * (0.5 + jitter / 2))
  return {
    state: {
      kind: 'disconnected',
      failures,
      retryAt: now + delay,
      ...(trouble === undefined ? {} : { trouble }),
      ...(attempt.isUncompared === undefined ? {} : { isUncompared: true }),
    },
    effects: hangingUp === undefined || trouble === undefined ? [] : [hangUp(trouble)],
  }
}

function violated(state: SlaveState, words: string): SlaveStep {
  const isStranger = state.kind === 'greeting'
  const refusal = { reason: 'violation', words: isStranger ? `${words}: ${IS_THAT_A_MASTER}` : words }
  return {
    state: { kind: 'leaving', failures: attemptOf(state).failures, trouble: refusal, pace: 'back-off' },
    effects: [{ kind: 'hang-up', refusal, manner: 'violation' }],
  }
}

function orViolated(state: SlaveState, step: SlaveStep | string): SlaveStep {
  return typeof step === 'string' ? violated(state, step) : step
}

function attemptOf(state: SlaveState | Attempt): Attempt {
  if (!('failures' in state)) return { failures: 0 }
  const { failures, trouble, isUncompared } = state
  return {
    failures,
    ...(trouble === undefined ? {} : { trouble }),
    ...(isUncompared === undefined ? {} : { isUncompared }),
  }
}

function hangUp(refusal: Refusal): SlaveEffect {
  return { kind: 'hang-up', refusal, manner: 'silent' }
}

function stay(state: SlaveState): SlaveStep {
  return { state, effects: [] }
}
