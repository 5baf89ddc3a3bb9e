import { unreachable } from '@tandemmq/base'
import { appendMac, encodeAnswer, encodeHandshake, encodeHello } from '@tandemmq/codec'
import type { Answer, Hello, Proof, Refusal } from '@tandemmq/codec'
import { align } from './alignment.ts'
import type { Alignment } from './alignment.ts'
import { proofOf, proves, whyUnproven } from './authentication.ts'
import { introduction, refusalOf } from './ha-member.ts'
import type {
  Admission,
  AwaitingProof,
  MasterConfig,
  MasterContext,
  MasterEvent,
  MasterStep,
} from './master-state.ts'
import { startBorrowing } from './master-borrowing.ts'
import type { LogView } from './replicated-log.ts'
import { alignToTail } from './tail.ts'

type HelloEvent = Extract<MasterEvent, { kind: 'hello' }>

/** A slave has introduced itself: introduce ourselves, prove who we are, and ask what we want to compare. */
export function onSlaveHello(event: HelloEvent, since: number, context: MasterContext): MasterStep {
  const { config, view, tail } = context
  const log = view()
  const peer = event.received.hello
  if (peer.role !== 'slave') {
    return answered({ kind: 'refuse', refusal: { reason: 'wrong-role', words: 'two masters met' } })
  }
  const refusal = refusalOf(config, log.segmentBytes, peer, event.certificate)
  if (refusal !== undefined) return answered({ kind: 'refuse', refusal })

  const known = tail()
  const unfinished = known.kind === 'complete' ? known.unfinished : undefined
  const alignment = alignToTail(log, peer, known) ?? align(log, peer, config.acceptLoss, unfinished)
  const signed = encodeHello(ownHello(event, log, alignment, config))
  const secret = config.secret
  const slaveHello = event.received.signed
  const body =
    secret === undefined ? signed : appendMac(signed, proofOf(secret, 'master', slaveHello, signed))
  return {
    state: {
      kind: 'awaiting-proof',
      since,
      peer,
      alignment,
      ...(secret === undefined ? {} : { expected: proofOf(secret, 'slave', slaveHello, signed) }),
    },
    effects: [{ kind: 'say-hello', bytes: encodeHandshake('master-hello', body) }],
  }
}

/** Before the proof a stranger learns no more than a name and two positions: the lineage waits for the answer. */
function ownHello(event: HelloEvent, log: LogView, alignment: Alignment, config: MasterConfig): Hello {
  const compare = 'compare' in alignment ? alignment.compare : undefined
  return {
    ...introduction(config, log, event),
    role: 'master',
    flush: config.flushRequired ? 'always' : 'never',
    ...(compare === undefined ? {} : { compare }),
  }
}

/** The slave has proven who it is and shown what it holds, or has said why it leaves. */
export function onProof(state: AwaitingProof, proof: Proof, now: number, log: LogView): MasterStep {
  if (proof.refusal !== undefined) {
    const effects = [{ kind: 'hang-up', refusal: proof.refusal, manner: 'told' }] as const
    return { state: { kind: 'closed' }, effects }
  }
  const peer = `slave "${state.peer.identity}"`
  if (!proves(proof.mac, state.expected)) {
    return answered({ kind: 'refuse', refusal: whyUnproven(proof.mac, state.expected, peer) })
  }
  const next = onProven(state, proof, now, log)
  return { state: next.state, effects: [{ kind: 'introduce', peer: state.peer }, ...next.effects] }
}

function onProven({ peer, alignment }: AwaitingProof, proof: Proof, now: number, log: LogView): MasterStep {
  const difference = differenceOf(alignment, proof, log)
  if (difference !== undefined) return answered({ kind: 'refuse', refusal: difference })
  switch (alignment.kind) {
    case 'continue':
    case 'copy-all':
      return {
        state: { kind: 'claiming', admission: { peer, alignment } },
        effects: [{ kind: 'claim', peer }],
      }
    case 'cut':
      return ordered('truncate', alignment.at, log)
    case 'start-over':
      return ordered('start-over', alignment.at, log)
    case 'borrow':
      return startBorrowing(peer, alignment, now)
    case 'wait':
    case 'refuse':
      return answered(alignment)
    default:
      return unreachable(alignment)
  }
}

/** Rule 1.3: after the epochs, the bytes below the common point are compared. */
function differenceOf(alignment: Alignment, proof: Proof, log: LogView): Refusal | undefined {
  const range = 'compare' in alignment ? alignment.compare : undefined
  if (range === undefined) return undefined
  const compared = proof.compared
  if (compared === undefined || compared.from !== range.from || compared.to !== range.to) {
    return { reason: 'not-compared', words: `the slave sent no checksum of ${range.from} to ${range.to}` }
  }
  if (compared.crc === log.checksum(range.from, range.to)) return undefined
  return {
    reason: 'bytes-differ',
    words: `the logs of slave and master differ between ${range.from} and ${range.to}: one of them must be emptied by hand`,
  }
}

/** The identity is free for this slave: from here on Apache's protocol runs. */
export function admit(admission: Admission, now: number, { config, view }: MasterContext): MasterStep {
  const { peer, alignment } = admission
  const lineage = view().lineage
  if ((alignment.kind !== 'continue' && alignment.kind !== 'copy-all') || lineage === undefined) {
    return answered({ kind: 'wait', refusal: { reason: 'not-ready', words: 'the master is not ready' } })
  }
  const counted = !config.flushRequired || peer.flush !== 'never'
  const answer: Answer = {
    kind: 'accept',
    at: alignment.at,
    lineage,
    flushRequired: config.flushRequired,
    counted,
  }
  return {
    state: {
      kind: 'streaming',
      peer,
      timings: config.timings,
      isStarted: false,
      next: alignment.at,
      received: alignment.at,
      heardAt: now,
      saidAt: now,
    },
    effects: [
      { kind: 'answer', bytes: encodeHandshake('answer', encodeAnswer(answer)) },
      { kind: 'admit', peer, counted },
    ],
  }
}

/** Says no, or not yet, and hangs up. */
export function answered(answer: Extract<Answer, { refusal: Refusal }>): MasterStep {
  return {
    state: { kind: 'closed' },
    effects: [
      { kind: 'answer', bytes: encodeHandshake('answer', encodeAnswer(answer)) },
      { kind: 'hang-up', refusal: answer.refusal, manner: 'told' },
    ],
  }
}

function ordered(kind: 'truncate' | 'start-over', at: number, log: LogView): MasterStep {
  if (log.lineage === undefined) {
    return answered({ kind: 'wait', refusal: { reason: 'not-ready', words: 'the master is not ready' } })
  }
  const bytes = encodeHandshake('answer', encodeAnswer({ kind, at, lineage: log.lineage }))
  const words =
    kind === 'truncate'
      ? `the slave was told to cut its log to ${at}`
      : `the slave was told to start over at ${at}`
  return {
    state: { kind: 'closed' },
    effects: [
      { kind: 'answer', bytes },
      { kind: 'hang-up', refusal: { reason: kind, words }, manner: 'told' },
    ],
  }
}
