import type { MessageStore } from '@tandemmq/storage'
import { BrokenPromise, demand } from './broken-promise.ts'
import { inspect, type Found } from './found.ts'
import { EXTRA_FROM, Machine, messageOf, nextBoot } from './machine.ts'

/**
 * Appends go on after a recovery, and a power cut that takes all it can takes nothing of what the recovery has `found`: whatever a start shows is safe
 * from then on, whether or not it was before. Throws {@link BrokenPromise}.
 */
export async function goOn(machine: Machine, store: MessageStore, found: Found): Promise<void> {
  await machine.write(store)
  const more = messageOf(EXTRA_FROM + found.bodies.length, 512)
  const { queueOffset } = store.append(more)
  await machine.clock.outcome(store.flush())
  machine.disk.crashAs({ name: 'nothing', keeps: () => false })
  const next = new Machine(nextBoot(machine.disk), machine.disk)
  const again = await next.open()
  const left = await inspect(next, again)
  const expected = [...found.bodies, more.body.toString()]
  demand(
    left.bodies.length === expected.length && left.bodies.every((body, index) => body === expected[index]),
    `of ${found.bodies.length} messages found and one more ${left.bodies.length} are left`,
  )
  demand(left.confirmed >= found.confirmed, `confirmed went back to ${left.confirmed}`)
  demand(left.hasLineage, 'the lineage is gone')
  demand(queueOffset === (found.queueEnds[more.topic] ?? 0), `queue offset ${queueOffset} was given again`)
  for (const [index, offset] of found.queueOffsets.entries())
    demand(left.queueOffsets[index] === offset, `message ${index} has another queue offset`)
  const unit = again.queue(more.topic, more.queueId)?.unit(queueOffset)
  if (unit !== undefined && again.record(unit.offset, unit.size).body.equals(more.body)) return
  throw new BrokenPromise(
    `queue offset ${queueOffset} is not that of the one message that was appended there`,
  )
}
