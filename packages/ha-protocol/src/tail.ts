import type { Hello } from '@tandemmq/codec'
import { type Alignment, commonPoint, comparison } from './alignment.ts'
import type { LogView } from './replicated-log.ts'
import type { UnfinishedRecord } from './unfinished-record.ts'

/** What a master knows about the end of its own log (rules 3.1, 3.2). */
export type Tail =
  | { readonly kind: 'complete'; readonly unfinished?: UnfinishedRecord }
  /** Part of it may be missing, and who holds most is not known yet. */
  | { readonly kind: 'unknown' }
  /** What is missing comes from this identity. */
  | { readonly kind: 'missing'; readonly holder: string }

/**
 * How a slave's log stands to that of a master that may lack its tail; undefined: the tail is complete, and {@link align} decides.
 *
 * What is borrowed continues the master's log byte for byte: the slave holds all of it, and more.
 */
export function alignToTail(master: LogView, slave: Hello, tail: Tail): Alignment | undefined {
  if (tail.kind === 'complete') return undefined
  if (tail.kind === 'unknown') {
    return notReady('the master does not know yet whether the end of its log is complete')
  }
  if (tail.holder !== slave.identity) {
    return notReady(`the master fetches the end of its log from "${tail.holder}" first`)
  }
  const { lineage } = slave
  if (lineage === undefined || slave.end <= master.end) return undefined
  const ours = master.lineage
  if (ours === undefined || master.begin === master.end) {
    return { kind: 'borrow', at: slave.begin, to: slave.end, lineage }
  }
  const common = ours.logId === lineage.logId && commonPoint(ours, master.end, lineage, slave.end)
  if (common !== master.end) return undefined
  return { kind: 'borrow', at: common, to: slave.end, lineage, ...comparison(common, master, slave) }
}

function notReady(words: string): Alignment {
  return { kind: 'wait', refusal: { reason: 'not-ready', words } }
}
