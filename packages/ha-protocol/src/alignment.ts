import type { LogOffset } from '@tandemmq/base'
import { LINEAGE_EPOCHS_MAX, lastEpoch } from '@tandemmq/codec'
import type { Epoch, Hello, Lineage, LogRange, Refusal } from '@tandemmq/codec'
import type { LogView } from './replicated-log.ts'
import { isUnfinished, type UnfinishedRecord } from './unfinished-record.ts'

/** How a slave's log stands to its master's (rules 1.3, 1.4, 2.7). */
export type Alignment =
  /** A prefix of the master's: goes on at its end. */
  | { readonly kind: 'continue'; readonly at: LogOffset; readonly compare?: LogRange }
  /** No bytes at all: starts where the master's log does. */
  | { readonly kind: 'copy-all'; readonly at: LogOffset }
  /** Agrees up to `at` only, and a newer epoch of the master decides. */
  | { readonly kind: 'cut'; readonly at: LogOffset; readonly compare?: LogRange }
  /** Ends, or agrees to, where the master no longer keeps anything. Bytes that differ are given up to a newer epoch of the master only. */
  | { readonly kind: 'start-over'; readonly at: LogOffset }
  /** Holds all of a master's log that lacks its tail, and what is missing up to `to` (rule 3.2). */
  | {
      readonly kind: 'borrow'
      readonly at: LogOffset
      readonly to: LogOffset
      readonly lineage: Lineage
      readonly compare?: LogRange
    }
  | { readonly kind: 'wait'; readonly refusal: Refusal }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }

type SlaveLog = Pick<Hello, 'begin' | 'end' | 'lineage'>

/** Bytes below the common point that both sides checksum. */
const COMPARED_BYTES = 64 * 1024

/** `acceptLoss`: the operator has given up what a longer slave may hold, and with it confirmed where our log ends. `unfinished`: nothing can be saved of that. */
export function align(
  master: LogView,
  slave: SlaveLog,
  acceptLoss = false,
  unfinished?: UnfinishedRecord,
): Alignment {
  const ours = master.lineage
  const newest = ours?.epochs.at(-1)
  if (ours === undefined || newest === undefined) {
    return wait('not-ready', 'the master has not opened an epoch of its log yet')
  }
  if (slave.begin === slave.end) return { kind: 'copy-all', at: master.begin }
  if (slave.lineage === undefined) {
    return refuse(
      'not-our-lineage',
      `the slave holds bytes up to ${slave.end} and does not know of which log`,
    )
  }
  if (slave.lineage.logId !== ours.logId) {
    return refuse('not-our-lineage', `the slave's log is ${slave.lineage.logId}, the master's ${ours.logId}`)
  }
  const common = commonPoint(ours, master.end, slave.lineage, slave.end)
  if (common === undefined) {
    if (!isEmptiedSince(ours, slave.lineage))
      return refuse('not-our-lineage', 'the logs of slave and master have no epoch in common')
    return acceptLoss
      ? { kind: 'start-over', at: master.begin }
      : refuse('not-our-lineage', begunAnew(newest, slave.end))
  }
  const isGivenUp = acceptLoss || isUnfinished(slave, unfinished)
  const untouched = newest.start >= master.end && !isGivenUp ? newest : undefined
  return alignAt(common, newest, master, slave, untouched)
}

/** Rule 3.4: where the bytes that both had are lost down to the first, so are the epochs that named them (rule 1.1); only the log id is common then. */
function begunAnew({ epoch }: Epoch, slaveEnd: LogOffset): string {
  return `the master has lost its log down to the first byte and begun it anew in epoch ${epoch}, the slave holds what was lost up to ${slaveEnd}: to give that up, start the master once with acceptLoss=true (the slave saves it and starts over); to give up what the master has taken since, start it with an empty directory (it copies the slave's log)`
}

/** Whether a log was begun anew at its very beginning by an epoch newer than all that another one of the same id, known as a whole, has followed. */
function isEmptiedSince(log: Lineage, other: Lineage): boolean {
  const [first, theirs] = [log.epochs[0], other.epochs[0]]
  return first?.start === 0 && theirs?.start === 0 && first.epoch > lastEpoch(other)
}

/** The logs are equal below `common`, as far as their epochs tell. */
function alignAt(
  common: LogOffset,
  newest: Epoch,
  master: LogView,
  slave: SlaveLog,
  untouched: Epoch | undefined,
): Alignment {
  const slaveEpoch = lastEpoch(slave.lineage)
  if (slaveEpoch > newest.epoch) {
    return refuse(
      'slave-newer',
      `the slave has followed epoch ${slaveEpoch}, the master is at ${newest.epoch}`,
    )
  }
  const isNewer = newest.epoch > slaveEpoch
  if (common === slave.end) {
    if (common >= master.begin) return { kind: 'continue', at: common, ...comparison(common, master, slave) }
    // Rule 2.10: all it holds was the master's too, and has expired there.
    return { kind: 'start-over', at: master.begin }
  }
  const ahead = `the slave's log goes on to ${slave.end}, it agrees with the master's up to ${common}`
  if (!isNewer) return refuse('slave-ahead', `${ahead}, and both last followed epoch ${slaveEpoch}`)
  // Rule 1.4: nothing has been appended in the new epoch, so those bytes can still be saved.
  if (untouched !== undefined) {
    return wait('slave-ahead', `${ahead}, and the master has written nothing in epoch ${newest.epoch} yet`)
  }
  if (common < master.begin) return { kind: 'start-over', at: master.begin }
  return { kind: 'cut', at: common, ...comparison(common, master, slave) }
}

/**
 * The end of what two logs have in common: of their newest common epoch, the shorter part. An epoch is the same if
 * its opener is, and whoever opened it held everything below it. Undefined without a common epoch.
 */
export function commonPoint(
  one: Lineage,
  oneEnd: LogOffset,
  other: Lineage,
  otherEnd: LogOffset,
): LogOffset | undefined {
  for (let index = other.epochs.length - 1; index >= 0; index -= 1) {
    const theirs = other.epochs[index]
    if (theirs === undefined || theirs.start > otherEnd) continue
    const at = one.epochs.findIndex((epoch) => isSame(epoch, theirs))
    if (at === -1 || theirs.start > oneEnd) continue
    return Math.min(endOf(one, at, oneEnd), endOf(other, index, otherEnd))
  }
  return undefined
}

/**
 * Whether a slave may obey an order to give up bytes (rule 1.3): only of an epoch newer than its last one, and never
 * what it knows to be common. Why not otherwise.
 */
export function refusalOfOrder(
  slave: LogView,
  order: { readonly kind: 'truncate' | 'start-over'; readonly at: LogOffset; readonly lineage: Lineage },
): Refusal | undefined {
  const own = slave.lineage
  const reason = 'order-refused'
  if (own === undefined || own.logId !== order.lineage.logId) {
    return { reason, words: 'the master orders a cut of a log that is not its own' }
  }
  const [ordered, last] = [lastEpoch(order.lineage), lastEpoch(own)]
  // Rule 2.10: nothing of ours is in doubt, it has only expired there.
  if (
    order.kind === 'start-over' &&
    order.at > slave.end &&
    ordered === last &&
    isPrefixOf(slave, order.lineage)
  ) {
    return undefined
  }
  if (ordered <= last) {
    return { reason, words: `the master orders a cut with epoch ${ordered}, this slave has followed ${last}` }
  }
  const common = commonPoint(order.lineage, Number.MAX_SAFE_INTEGER, own, slave.end) ?? 0
  if (order.at < common || (order.kind === 'truncate' && order.at > slave.end)) {
    return { reason, words: `the master orders a cut to ${order.at}, the logs agree up to ${common}` }
  }
  return undefined
}

/** Whether a log is, as far as epochs tell, the beginning of the one that has this ancestry. */
export function isPrefixOf(log: Pick<LogView, 'end' | 'lineage'>, lineage: Lineage): boolean {
  if (log.lineage === undefined || log.lineage.logId !== lineage.logId) return false
  return commonPoint(lineage, Number.MAX_SAFE_INTEGER, log.lineage, log.end) === log.end
}

/** What a slave keeps as its ancestry: the master's word, and below it what no longer fitted into a message. */
export function continuedLineage(own: Lineage | undefined, received: Lineage): Lineage {
  const oldest = received.epochs[0]
  if (own?.logId !== received.logId || oldest === undefined || received.epochs.length < LINEAGE_EPOCHS_MAX) {
    return received
  }
  const older = own.epochs.filter((epoch) => epoch.epoch < oldest.epoch && epoch.start <= oldest.start)
  return { logId: received.logId, epochs: [...older, ...received.epochs] }
}

/** The range below the common point that both sides checksum, if both hold any of it. */
export function comparison(
  common: LogOffset,
  master: LogView,
  slave: SlaveLog,
): { readonly compare?: LogRange } {
  const from = Math.max(common - COMPARED_BYTES, master.begin, slave.begin)
  return from < common ? { compare: { from, to: common } } : {}
}

function endOf(lineage: Lineage, index: number, end: LogOffset): LogOffset {
  return Math.min(lineage.epochs[index + 1]?.start ?? end, end)
}

function isSame(one: Epoch, other: Epoch | undefined): boolean {
  return one.epoch === other?.epoch && one.start === other.start && one.opener === other.opener
}

function wait(reason: string, words: string): Alignment {
  return { kind: 'wait', refusal: { reason, words } }
}

function refuse(reason: string, words: string): Alignment {
  return { kind: 'refuse', refusal: { reason, words } }
}
