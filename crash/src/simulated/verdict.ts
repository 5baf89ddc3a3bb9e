import type { LogRecord } from '@tandemmq/codec'
import type { MessageStore, QueueReader } from '@tandemmq/storage'
import type { Ledger } from './ledger.ts'
import { walkLog } from '../log-walk.ts'
import { keyOf, SCAN_LIMITS, topicOf, type Machine } from './machine.ts'

/** A promise that was not kept, in words. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
  /** Acknowledged messages that are missing. */
  readonly lost: number

  constructor(words: string, lost = 0) {
    super(words)
    this.lost = lost
  }
}

/**
 * Checks what a recovered store holds against the ledger: at least so many messages of those that were sent, in their order, and no other; queues and
 * index are what the log says. Returns the bodies, expired ones included. Throws {@link BrokenPromise}.
 */
export async function demandSound(
  machine: Machine,
  store: MessageStore,
  ledger: Ledger,
  atLeast: number,
): Promise<readonly string[]> {
  const records = walkLog(store, SCAN_LIMITS)
  const bodies = records.map(({ body }) => body.toString())
  const begin = beginOf(bodies, ledger)
  const all = [...ledger.sent.slice(0, begin), ...bodies]
  const lost = atLeast - all.length
  if (lost > 0) throw new BrokenPromise(`${all.length} messages are left of ${atLeast} promised ones`, lost)
  const unsent = all.findIndex((body, index) => body !== ledger.sent[index])
  if (unsent !== -1) {
    throw new BrokenPromise(
      `message ${unsent} is ${short(all[unsent])}, sent was ${short(ledger.sent[unsent])}`,
    )
  }
  const { end, confirmedOnDisk } = store
  demand(store.dispatched.at === end, `dispatched ends at ${store.dispatched.at}, the log at ${end}`)
  demand(confirmedOnDisk >= ledger.confirmed, `confirmed went back to ${confirmedOnDisk}`)
  demand(confirmedOnDisk <= end, 'confirmed lies behind the end of the log')
  demand(!ledger.hasLineage || store.lineage !== undefined, 'the lineage is gone')
  demandQueues(store, records, all, begin)
  await demandIndex(machine, store, ledger, begin, all.length)
  return all
}

/** How many messages have expired: as many as were promised to have, or more while that goes on. */
function beginOf(bodies: readonly string[], ledger: Ledger): number {
  const [first] = bodies
  if (first === undefined || !ledger.isExpiring) return ledger.expired
  return Math.max(ledger.expired, ledger.sent.indexOf(first))
}

/** Consume queues equal those that a rebuild from the log gives, and no message has another's queue offset. */
function demandQueues(
  store: MessageStore,
  records: readonly LogRecord[],
  all: readonly string[],
  begin: number,
): void {
  const topics = all.map((body) => topicOf(numberOf(body)))
  for (const [index, { topic, queueOffset }] of records.entries()) {
    const before = topics.slice(0, begin + index).filter((other) => other === topic).length
    demand(queueOffset === before, `message ${begin + index} has queue offset ${queueOffset}, not ${before}`)
  }
  const queues = [...store.queueOffsets()]
  for (const { topic, maxOffset } of queues) {
    demand(topics.includes(topic) || maxOffset === 0, `there is a queue of ${topic}, which has no messages`)
  }
  for (const topic of new Set(topics)) {
    const queue = queues.find((other) => other.topic === topic)
    const own = records.filter((record) => record.topic === topic)
    const expected = own.map(({ physicalOffset, size }) => `${physicalOffset}+${size}`).join()
    const found = queue === undefined ? 'nothing' : unitsOf(queue).join()
    demand(found === expected, `the queue of ${topic} has ${found}, the log ${expected}`)
    const end = topics.filter((other) => other === topic).length
    demand(queue?.maxOffset === end, `the queue of ${topic} ends at ${queue?.maxOffset}, not ${end}`)
  }
}

function unitsOf(queue: QueueReader): readonly string[] {
  const units: string[] = []
  for (let at = queue.minOffset; at < queue.maxOffset; at += 1) {
    const unit = queue.unit(at)
    units.push(unit === undefined ? 'none' : `${unit.offset}+${unit.size}`)
  }
  return units
}

/** Every message is found by its key, once; one that has expired or was lost is not. */
async function demandIndex(
  machine: Machine,
  store: MessageStore,
  ledger: Ledger,
  begin: number,
  end: number,
): Promise<void> {
  for (const [index, body] of ledger.sent.entries()) {
    const number = numberOf(body)
    const query = store.query({ topic: topicOf(number), by: 'key', value: keyOf(number) })
    const { records } = await machine.clock.outcome(query)
    const expected = index >= begin && index < end ? 1 : 0
    demand(records.length === expected, `the index finds message ${index} ${records.length} times`)
  }
}

function numberOf(body: string): number {
  return Number.parseInt(body, 10)
}

function demand(isSo: boolean, broken: string): void {
  if (!isSo) throw new BrokenPromise(broken)
}

function short(body: string | undefined): string {
  return body === undefined ? 'none' : body.replaceAll('.', '')
}
