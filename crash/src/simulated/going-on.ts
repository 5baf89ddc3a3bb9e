import type { MessageStore } from '@tandemmq/storage'
import { BrokenPromise, demand } from './broken-promise.ts'
import { inspect, type Found } from './found.ts'
import { EXTRA_FROM, Machine, messageOf, nextBoot } from './machine.ts'

/** What a start has shown, and one message that was appended after it. */
export interface GoneOn {
  readonly found: Found
  readonly more: string
}

/**
 * Appends go on after a recovery, and a power cut that takes all it can takes nothing of what the recovery has `found`: whatever a start shows is safe
 * from then on, whether or not it was before. `onFlushed` is told when the message that was appended must stay too. Throws {@link BrokenPromise}.
 */
export async function goOn(
  machine: Machine,
  store: MessageStore,
  found: Found,
  onFlushed: () => void,
): Promise<GoneOn> {
  await machine.write(store)
  const message = messageOf(EXTRA_FROM + found.bodies.length, 512)
  const more = message.body.toString()
  const { queueOffset } = store.append(message)
  await machine.clock.outcome(store.flush())
  onFlushed()
  machine.disk.crashAs({ name: 'nothing', keeps: () => false })
  const next = new Machine(nextBoot(machine.disk), machine.disk)
  const again = await next.open()
  demandLeft(await inspect(next, again), { found, more }, true)
  demand(queueOffset === (found.queueEnds[message.topic] ?? 0), `queue offset ${queueOffset} was given again`)
  const unit = again.queue(message.topic, message.queueId)?.unit(queueOffset)
  if (unit === undefined || !again.record(unit.offset, unit.size).body.equals(message.body)) {
    throw new BrokenPromise(
      `queue offset ${queueOffset} is not that of the one message that was appended there`,
    )
  }
  return { found, more }
}

/** All that was found is left, in its place, and behind it at most the one message, which must be there once it `isFlushed`. Throws {@link BrokenPromise}. */
export function demandLeft(left: Found, { found, more }: GoneOn, isFlushed: boolean): void {
  const hasMore = isFlushed || left.bodies.length > found.bodies.length
  const expected = hasMore ? [...found.bodies, more] : found.bodies
  demand(
    left.bodies.length === expected.length && left.bodies.every((body, index) => body === expected[index]),
    `of ${found.bodies.length} messages that a start had shown, and ${isFlushed ? 'one' : 'perhaps one'} more, ${left.bodies.length} are left`,
  )
  demand(left.confirmed >= found.confirmed, `confirmed went back to ${left.confirmed}`)
  demand(left.hasLineage || !found.hasLineage, 'the lineage is gone')
  for (const [index, offset] of found.queueOffsets.entries())
    demand(left.queueOffsets[index] === offset, `message ${index} has another queue offset`)
}
