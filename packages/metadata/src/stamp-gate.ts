import { InvariantViolation } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import type { AckedRecord, Change, Delivery, Mark, ProgressState } from './change.ts'
import { heldBefore, type LogKnowledge } from './log-knowledge.ts'
import { SettlingGate } from './settling-gate.ts'

/** What becomes of a change that comes from elsewhere. */
export interface Gated {
  readonly now: Change | undefined
  /** Waits for bytes. */
  readonly later: Waiting | undefined
  /** Entries that contradict the lineage. */
  readonly dropped: number
}

/** A change that waits for bytes of the log, and the first record for which it does. */
export interface Waiting {
  readonly change: Change
  readonly until: RecordStamp
}

/** Splits a change by what the log knows of the records it is about. Changes that name no record pass whole. */
export function gate(change: Change, log: LogKnowledge): Gated {
  switch (change.kind) {
    case 'lease': {
      const parts = split(change.deliveries, stampsOfDelivery, log)
      return gated(parts, (deliveries) => ({ ...change, deliveries }))
    }
    case 'visibility': {
      const parts = split([change.delivery], stampsOfDelivery, log)
      return gated(parts, () => change)
    }
    case 'ack': {
      const parts = split(change.records, stampsOfRecord, log)
      return gated(parts, (records) => ({ ...change, records }))
    }
    case 'delay': {
      const parts = split(change.done, stampsOfRecord, log)
      return gated(parts, (done) => ({ ...change, done }))
    }
    case 'progress':
      return gateState(change, log)
    default:
      return { now: change, later: undefined, dropped: 0 }
  }
}

interface Parts<T> {
  readonly known: readonly T[]
  readonly later: readonly T[]
  readonly contradicting: readonly T[]
  /** Of what comes later. */
  readonly stamps: readonly RecordStamp[]
}

/** What is about several records counts when all of them are known, and not at all when one of them contradicts. */
function split<T>(
  items: readonly T[],
  stampsOf: (item: T) => readonly RecordStamp[],
  log: LogKnowledge,
): Parts<T> {
  const known: T[] = []
  const later: T[] = []
  const contradicting: T[] = []
  const stamps: RecordStamp[] = []
  for (const item of items) {
    const judged = stampsOf(item).map((stamp) => ({ stamp, answer: log.knowsStamp(stamp) }))
    const awaited = judged.filter(({ answer }) => answer === 'later')
    if (judged.some(({ answer }) => answer === false)) contradicting.push(item)
    else if (awaited.length === 0) known.push(item)
    else {
      later.push(item)
      stamps.push(...awaited.map(({ stamp }) => stamp))
    }
  }
  return { known, later, contradicting, stamps }
}

function gated<T>(parts: Parts<T>, rebuild: (items: readonly T[]) => Change): Gated {
  return {
    now: parts.known.length > 0 ? rebuild(parts.known) : undefined,
    later: waitingFor(parts.stamps, () => rebuild(parts.later)),
    dropped: parts.contradicting.length,
  }
}

/** `undefined`: for nothing. */
function waitingFor(stamps: readonly RecordStamp[], rebuild: () => Change): Waiting | undefined {
  if (stamps.length === 0) return undefined
  const until = stamps.reduce((first, stamp) => (stamp.physicalOffset < first.physicalOffset ? stamp : first))
  return { change: rebuild(), until }
}

function stampsOfDelivery({ stamp }: Delivery | Mark): readonly RecordStamp[] {
  return [stamp]
}

function stampsOfRecord({ stamp, after }: AckedRecord): readonly RecordStamp[] {
  return after === undefined ? [stamp] : [stamp, after]
}

/**
 * Within one queue, records lie in the log in the order of their queue offsets: whoever holds the record of a mark holds
 * all before it. So acknowledgements count up to the highest mark the log knows, and wait up to the highest it will know. Of an epoch
 * whose mark contradicts the log, because its tail was given up, they count as far as the log holds that epoch, and wait as long as it is not known how far that
 * is. What internal writes have settled is judged by these writes as well.
 */
function gateState(state: ProgressState, log: LogKnowledge): Gated {
  const marks = split(state.marks, stampsOfDelivery, log)
  const leases = split(state.leases, stampsOfDelivery, log)
  const ackedEnd = state.acked.at(-1)?.[1] ?? 0
  const givenUp = marks.contradicting.map((mark) => ({ mark, part: heldBefore(mark, state, log) }))
  const undecided = givenUp.filter(({ part }) => part.mayGrow).map(({ mark }) => mark)
  // Of what is not known as a whole, the part that is here: it gets a mark of its own, for another cut may take that too.
  const parts = [
    ...givenUp.map(({ part }) => part),
    ...marks.later.map((mark) => heldBefore(mark, state, log)),
  ]
  const known = [...marks.known, ...parts.flatMap(({ last }) => last ?? [])]
  // What reaches past all marks came from Apache's files or from a reset: there is nothing to compare.
  const knownEnd =
    ackedEnd > endOf(state.marks) ? ackedEnd : Math.max(endOf(known), ...parts.map(({ end }) => end))
  const laterEnd = Math.max(knownEnd, endOf(marks.later), endOf(undecided))
  const upTo = (end: number): ProgressState['acked'] =>
    state.acked.flatMap(([from, to]) => (from < end ? [[from, Math.min(to, end)] as const] : []))
  const writes = new SettlingGate(state.settling, log)
  const awaited = [
    ...marks.stamps,
    ...undecided.map(({ stamp }) => stamp),
    ...leases.stamps,
    ...writes.awaited,
  ]
  return {
    now: { ...state, ...writes.now(upTo(knownEnd)), marks: known, leases: leases.known },
    later: waitingFor(awaited, () => ({
      ...state,
      ...writes.later(upTo(laterEnd)),
      marks: [...marks.known, ...marks.later, ...undecided],
      leases: leases.later,
    })),
    dropped: marks.contradicting.length - undecided.length + leases.contradicting.length + writes.lost.length,
  }
}

/** One past the highest of these. */
function endOf(marks: readonly Mark[]): number {
  return Math.max(0, ...marks.map((mark) => mark.queueOffset + 1))
}

/** How many entries a pending change holds, for bounding them. */
export function weightOf(change: Change): number {
  switch (change.kind) {
    case 'lease':
      return change.deliveries.length
    case 'visibility':
      return 1
    case 'ack':
      return change.records.length
    case 'delay':
      return change.done.length
    case 'progress':
      return 1 + change.acked.length + change.leases.length + (change.settling?.writes.length ?? 0)
    default:
      throw new InvariantViolation(`a ${change.kind} never waits for bytes`)
  }
}
