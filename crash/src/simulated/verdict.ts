import { BrokenPromise, demand } from './broken-promise.ts'
import type { Found } from './found.ts'
import type { Ledger } from './ledger.ts'
import { numberOf, topicOf } from './machine.ts'

/**
 * Checks what a recovered store holds against the ledger: at least so many messages of those that were sent, in their order, and no other; queue offsets
 * as they were given. Throws {@link BrokenPromise}.
 */
export function demandKept(found: Found, ledger: Ledger, atLeast: number): void {
  const begin = beginOf(found.bodies, ledger)
  const all = [...ledger.sent.slice(0, begin), ...found.bodies]
  const lost = atLeast - all.length
  if (lost > 0) throw new BrokenPromise(`${all.length} messages are left of ${atLeast} promised ones`, lost)
  const unsent = all.findIndex((body, index) => body !== ledger.sent[index])
  if (unsent !== -1) {
    throw new BrokenPromise(
      `message ${unsent} is ${short(all[unsent])}, sent was ${short(ledger.sent[unsent])}`,
    )
  }
  demand(found.confirmed >= ledger.confirmed, `confirmed went back to ${found.confirmed}`)
  demand(!ledger.hasLineage || found.hasLineage, 'the lineage is gone')
  const hasBegunAnew = ledger.beginsAnew && found.bodies.length === 0
  if (hasBegunAnew)
    demand(
      Object.values(found.queueEnds).every((end) => end === 0),
      'queues are left of a log that begins anew',
    )
  else demandQueueOffsets(found, all, begin)
}

/** How many messages have expired: as many as were promised to have, or more while that goes on. */
function beginOf(bodies: readonly string[], ledger: Ledger): number {
  const [first] = bodies
  if (first === undefined || !ledger.isExpiring) return ledger.expired
  return Math.max(ledger.expired, ledger.sent.indexOf(first))
}

/** Dense, from zero on, those of expired messages included: none is given twice. */
function demandQueueOffsets(found: Found, all: readonly string[], begin: number): void {
  const ends: Record<string, number> = {}
  for (const [index, body] of all.entries()) {
    const topic = topicOf(numberOf(body))
    const expected = ends[topic] ?? 0
    const offset = index < begin ? expected : found.queueOffsets[index - begin]
    demand(offset === expected, `message ${index} has queue offset ${offset}, not ${expected}`)
    ends[topic] = expected + 1
  }
  for (const topic of new Set([...Object.keys(ends), ...Object.keys(found.queueEnds)])) {
    const end = found.queueEnds[topic]
    demand(end === (ends[topic] ?? 0), `the queue of ${topic} ends at ${end}, not ${ends[topic] ?? 0}`)
  }
}

function short(body: string | undefined): string {
  return body === undefined ? 'none' : body.replaceAll('.', '')
}
