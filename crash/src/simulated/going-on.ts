import type { MessageStore } from '@tandemmq/storage'
import type { Ledger } from './ledger.ts'
import { Machine, messageOf } from './machine.ts'
import { BrokenPromise, demandSound } from './verdict.ts'

/** Numbers of messages that no step has sent. */
const NUMBERS_FROM = 10_000

/**
 * Appends go on after a recovery, and a power cut that takes all it can takes nothing of what the recovery has `found`: whatever a start shows is safe
 * from then on, whether or not it was before.
 */
export async function goOn(
  machine: Machine,
  store: MessageStore,
  boot: number,
  ledger: Ledger,
  found: readonly string[],
): Promise<void> {
  await machine.write(store)
  const more = messageOf(NUMBERS_FROM + found.length, 512)
  const { queueOffset } = store.append(more)
  await machine.clock.outcome(store.flush())
  machine.disk.crashAs({ name: 'nothing', keeps: () => false })
  const next = new Machine(boot + 1, machine.disk)
  const again = await next.open()
  const sent = [...found, more.body.toString()]
  await demandSound(next, again, { ...ledger, sent }, sent.length)
  const unit = again.queue(more.topic, more.queueId)?.unit(queueOffset)
  if (unit !== undefined && again.record(unit.offset, unit.size).body.equals(more.body)) return
  throw new BrokenPromise(
    `queue offset ${queueOffset} is not that of the one message that was appended there`,
  )
}
