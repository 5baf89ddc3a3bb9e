import type { LogRecord } from '@tandemmq/codec'
import type { MessageStore, QueueReader } from '@tandemmq/storage'
import { walkLog } from '../log-walk.ts'
import { demand } from './broken-promise.ts'
import { bodyOf, EXTRA_FROM, keyOf, numberOf, SCAN_LIMITS, topicOf, type Machine } from './machine.ts'

/** What a recovered store shows, as far as promises speak of it. Equal findings are one object. */
export interface Found {
  /** Of the messages in the log, in its order. */
  readonly bodies: readonly string[]
  /** Of the same messages. */
  readonly queueOffsets: readonly number[]
  /** Where each queue ends that there is. */
  readonly queueEnds: Readonly<Record<string, number>>
  readonly confirmed: number
  readonly hasLineage: boolean
}

/** Numbers behind the last message that the index is asked for as well: they were lost, or never sent. */
const BEHIND = 4

/**
 * Looks at all of a recovered store, and checks what needs no ledger: the log has nothing but sound records, consume queues are those that a walk through the
 * log gives, each message is found by its key once, and no other is. Throws `BrokenPromise`.
 */
export async function inspect(machine: Machine, store: MessageStore): Promise<Found> {
  const records = walkLog(store, SCAN_LIMITS)
  const { end, confirmedOnDisk } = store
  demand(store.dispatched.at === end, `dispatched ends at ${store.dispatched.at}, the log at ${end}`)
  demand(confirmedOnDisk <= end, 'confirmed lies behind the end of the log')
  const bodies = records.map(({ body }) => body.toString())
  for (const [index, body] of bodies.entries()) {
    demand(body === bodyOf(numberOf(body), body.length), `message ${index} is not as it was sent`)
    demand(records[index]?.topic === topicOf(numberOf(body)), `message ${index} is in another topic`)
  }
  const queueEnds: Record<string, number> = {}
  for (const queue of store.queueOffsets()) queueEnds[queue.topic] = demandQueue(queue, records)
  for (const { topic } of records) demand(topic in queueEnds, `there is no queue of ${topic}`)
  await demandIndex(machine, store, bodies.map(numberOf))
  return oneOf({
    bodies,
    queueOffsets: records.map(({ queueOffset }) => queueOffset),
    queueEnds,
    confirmed: confirmedOnDisk,
    hasLineage: store.lineage !== undefined,
  })
}

const known = new Map<string, Found>()

function oneOf(found: Found): Found {
  const bodies = found.bodies.map((body) => `${numberOf(body)}:${body.length}`)
  const name = JSON.stringify({ ...found, bodies })
  const equal = known.get(name) ?? found
  known.set(name, equal)
  return equal
}

/** A queue leads to its topic's messages, each in its place, and nowhere else. Says where it ends. */
function demandQueue(queue: QueueReader, records: readonly LogRecord[]): number {
  const { topic, minOffset, maxOffset } = queue
  const own = records.filter((record) => record.topic === topic)
  const expected = own.map(
    ({ physicalOffset, size, queueOffset }) => `${queueOffset}: ${physicalOffset}+${size}`,
  )
  const units: string[] = []
  for (let at = minOffset; at < maxOffset; at += 1) {
    const unit = queue.unit(at)
    units.push(unit === undefined ? `${at}: none` : `${at}: ${unit.offset}+${unit.size}`)
  }
  demand(
    units.join() === expected.join(),
    `the queue of ${topic} has ${units.join()}, the log ${expected.join()}`,
  )
  return maxOffset
}

/** Every message is found by its key, once; one that has expired or was lost is not. */
async function demandIndex(machine: Machine, store: MessageStore, numbers: readonly number[]): Promise<void> {
  const there = new Set(numbers)
  const asked = new Set(numbers)
  const last = Math.max(-1, ...numbers.filter((number) => number < EXTRA_FROM))
  for (let number = 0; number <= last + BEHIND; number += 1) asked.add(number)
  for (const number of asked) {
    const query = store.query({ topic: topicOf(number), by: 'key', value: keyOf(number) })
    const { records } = await machine.clock.outcome(query)
    const expected = there.has(number) ? 1 : 0
    demand(records.length === expected, `the index finds message ${number} ${records.length} times`)
  }
}
