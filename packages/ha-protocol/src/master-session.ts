import { invariant, unreachable } from '@tandemmq/base'
import type { Control, Refusal } from '@tandemmq/codec'
import { onAdopted, onBorrowedFrame, onBorrowedPiece, onKept } from './master-borrowing.ts'
import { admit, answered, onProof, onSlaveHello } from './master-handshake.ts'
import { plainMaster } from './one-sided-tls.ts'
import type {
  Admission,
  HangUp,
  MasterBorrowing,
  MasterConfig,
  MasterContext,
  MasterEffect,
  MasterEvent,
  MasterState,
  MasterStep,
  MasterStreaming,
} from './master-state.ts'

/** The master's half of one HA connection, without socket, log or clock. See {@link MasterState} for the picture. */
export function stepMaster(
  state: MasterState,
  event: MasterEvent,
  now: number,
  context: MasterContext,
): MasterStep {
  if (state.kind === 'closed') return stay(state)
  switch (event.kind) {
    case 'hello':
      if (state.kind !== 'awaiting-hello') return violated('a second hello')
      return onSlaveHello(event, state.since, context)
    case 'client-hello':
      return answered({ kind: 'refuse', refusal: plainMaster })
    case 'proof':
      if (state.kind !== 'awaiting-proof') return violated('a proof that nobody asked for')
      return onProof(state, event.proof, now, context.view())
    case 'claimed':
      invariant(state.kind === 'claiming', `claimed while ${state.kind}`)
      return admit(state.admission, now, context)
    case 'contested':
      invariant(state.kind === 'claiming', `contested while ${state.kind}`)
      return stay({ kind: 'awaiting-rival', since: now, admission: state.admission })
    case 'turned-away':
      return answered({ kind: 'wait', refusal: event.refusal })
    case 'rival-gone':
      return state.kind === 'awaiting-rival' ? replaceRival(state.admission, now, context) : stay(state)
    case 'rival-alive':
      return state.kind === 'awaiting-rival' ? contested(event.words) : stay(state)
    case 'report':
      return onReport(state, event.position, now, context)
    case 'frame':
    case 'piece':
    case 'adopted':
    case 'kept':
      return state.kind === 'borrowing'
        ? borrow(state, event, now, context)
        : violated(`a ${event.kind} from a slave`)
    case 'control':
      if (state.kind === 'borrowing') return stay({ ...state, heardAt: now })
      if (state.kind !== 'streaming') return violated('a control frame before the handshake')
      return onControl({ ...state, heardAt: now }, event.control, context)
    case 'sent':
      invariant(state.kind === 'streaming', `sent while ${state.kind}`)
      return stay({ ...state, next: event.next, saidAt: now })
    case 'epoch-opened':
      return state.kind === 'streaming'
        ? hungUp('epoch-opened', 'the master has opened a new epoch')
        : stay(state)
    case 'given-up':
      return hungUp(event.refusal.reason, event.refusal.words)
    case 'violation':
      return violated(event.words)
    case 'tick':
      return onTick(state, now, context)
    case 'closed':
      return stay({ kind: 'closed' })
    default:
      return unreachable(event)
  }
}

/** When {@link stepMaster} wants its next tick; undefined: never. */
export function masterDeadline(state: MasterState, config: MasterConfig): number | undefined {
  switch (state.kind) {
    case 'awaiting-hello':
      return state.since + firstWordMs(config)
    case 'awaiting-proof':
      return state.since + config.timings.handshakeMs
    case 'awaiting-rival':
      return state.since + config.timings.rivalMs
    case 'streaming':
      return Math.min(state.saidAt + state.timings.heartbeatMs, state.heardAt + state.timings.silenceMs)
    case 'borrowing':
      return Math.min(state.saidAt + config.timings.heartbeatMs, state.heardAt + config.timings.silenceMs)
    case 'claiming':
    case 'closed':
      return undefined
    default:
      return unreachable(state)
  }
}

function onTick(state: MasterState, now: number, context: MasterContext): MasterStep {
  const { config } = context
  const due = masterDeadline(state, config)
  if (due === undefined || now < due) return stay(state)
  switch (state.kind) {
    case 'awaiting-hello':
      return hungUp('late-handshake', `not a word within ${firstWordMs(config)} ms`)
    case 'awaiting-proof':
      return hungUp('late-handshake', `no handshake within ${config.timings.handshakeMs} ms`)
    case 'awaiting-rival':
      return replaceRival(state.admission, now, context)
    case 'streaming':
      if (now - state.heardAt >= state.timings.silenceMs) {
        return hungUp('silence', `nothing was heard of the slave for ${Math.round(now - state.heardAt)} ms`)
      }
      return { state: { ...state, saidAt: now }, effects: [{ kind: 'heartbeat' }] }
    case 'borrowing':
      if (now - state.heardAt >= config.timings.silenceMs) {
        return hungUp(
          'silence',
          `nothing was heard of the slave that lends for ${Math.round(now - state.heardAt)} ms`,
        )
      }
      return { state: { ...state, saidAt: now }, effects: [{ kind: 'say-alive', next: state.next }] }
    case 'claiming':
    case 'closed':
      return stay(state)
    default:
      return unreachable(state)
  }
}

function borrow(
  state: MasterBorrowing,
  event: Extract<MasterEvent, { kind: 'frame' | 'piece' | 'adopted' | 'kept' }>,
  now: number,
  context: MasterContext,
): MasterStep {
  switch (event.kind) {
    case 'adopted':
      return onAdopted(state, now)
    case 'frame': {
      const step = onBorrowedFrame(state, event, now, context)
      return typeof step === 'string' ? violated(step) : step
    }
    case 'piece':
      return onBorrowedPiece(state, event, now)
    case 'kept':
      return onKept(state)
    default:
      return unreachable(event)
  }
}

function onReport(state: MasterState, position: number, now: number, context: MasterContext): MasterStep {
  if (state.kind === 'awaiting-hello') return onLegacyReport(position, now, context)
  if (state.kind !== 'streaming') return violated('a report before the handshake')
  // Bytes below `next` were compared or sent: nothing else can be in a faithful slave's log (rule 2.4).
  if (position > state.next) return violated(`a report of ${position}, sent was up to ${state.next}`)
  if (position < state.received) return violated(`a report of ${position} after one of ${state.received}`)
  return {
    state: { ...state, isStarted: true, received: position, heardAt: now },
    effects: [
      ...(state.isStarted ? [] : [{ kind: 'start-sending', at: state.next } as const]),
      { kind: 'progress', received: position },
    ],
  }
}

/** A slave that speaks Apache's protocol only: its first report says where it goes on, 0 that it is empty. */
function onLegacyReport(position: number, now: number, { config, view }: MasterContext): MasterStep {
  if (config.legacySlaves === 'none' || config.certified === true) {
    return hungUp(
      'no-hello',
      'a slave that says no hello: slaves of Apache RocketMQ are not allowed here',
      'violation',
    )
  }
  const log = view()
  const at = position === 0 ? log.begin : position
  if (at < log.begin || at > log.end) {
    return violated(`a slave asks for ${at}, the log goes from ${log.begin} to ${log.end}`)
  }
  const state: MasterStreaming = {
    kind: 'streaming',
    timings: config.legacyTimings,
    isStarted: true,
    next: at,
    received: position,
    heardAt: now,
    saidAt: now,
  }
  const counted = config.legacySlaves === 'counted' && !config.flushRequired
  return {
    state,
    effects: [
      { kind: 'admit-legacy', counted },
      { kind: 'progress', received: position },
      { kind: 'start-sending', at },
    ],
  }
}

/** Apache's slave says its first word with its first heartbeat, up to 5 s after it has connected. */
function firstWordMs({ legacySlaves, timings, legacyTimings }: MasterConfig): number {
  return legacySlaves === 'none' ? timings.handshakeMs : timings.handshakeMs + legacyTimings.heartbeatMs
}

function onControl(state: MasterStreaming, control: Control, { view }: MasterContext): MasterStep {
  const effects: MasterEffect[] = []
  if (control.ping !== undefined) effects.push({ kind: 'pong', token: control.ping })
  effects.push({ kind: 'note', control })
  // Noted before: what is appended from now on does not count on a slave that cannot write.
  if (control.leaving === true) effects.push({ kind: 'counts-to', position: view().end })
  return { state, effects }
}

function replaceRival(admission: Admission, now: number, context: MasterContext): MasterStep {
  const { state, effects } = admit(admission, now, context)
  return { state, effects: [{ kind: 'evict-rival' }, ...effects] }
}

function contested(words: string): MasterStep {
  return answered({ kind: 'refuse', refusal: { reason: 'identity-in-use', words } })
}

function violated(words: string): MasterStep {
  return hungUp('violation', words, 'violation')
}

function hungUp(reason: string, words: string, manner: HangUp['manner'] = 'silent'): MasterStep {
  const refusal: Refusal = { reason, words }
  return { state: { kind: 'closed' }, effects: [{ kind: 'hang-up', refusal, manner }] }
}

function stay(state: MasterState): MasterStep {
  return { state, effects: [] }
}
