import type { Broker } from '@tandemmq/broker'
import { placeOf } from './values.ts'
import { WrittenLog } from './written-log.ts'

/** Consume queues are what the log alone would give, dense, and no group has progress past their ends. `expires`: old files of the log were removed. */
export function queueViolations(name: string, broker: Broker, expires: boolean): string[] {
  const { store, metadata } = broker
  const wrong: string[] = []
  const records = new WrittenLog(broker).records
  const left = new Map([...records].map(([position, record]) => [placeOf(record), position]))
  if (left.size !== records.size) wrong.push(`${name}: two records of its log have the same queue offset`)
  for (const { topic, queueId, minOffset, maxOffset } of store.queueOffsets()) {
    if (minOffset !== 0 && !expires) wrong.push(`${name}: ${topic}/${queueId} begins at ${minOffset}`)
    for (let queueOffset = minOffset; queueOffset < maxOffset; queueOffset += 1) {
      const place = placeOf({ topic, queueId, queueOffset })
      const unit = store.queue(topic, queueId)?.unit(queueOffset)
      if (
        unit === undefined ||
        left.get(place) !== unit.offset ||
        records.get(unit.offset)?.size !== unit.size
      )
        wrong.push(`${name}: the unit at ${place} is not that of a record of the log`)
      left.delete(place)
    }
  }
  for (const [place, position] of left)
    wrong.push(`${name}: the record at ${position}, ${place}, is in no queue`)
  for (const { group, topic, queueId, end } of metadata.progress.all()) {
    const maxOffset = store.queue(topic, queueId)?.maxOffset ?? 0
    if (end > maxOffset)
      wrong.push(
        `${name}: ${group} has progress up to ${end} in ${topic}/${queueId}, which ends at ${maxOffset}`,
      )
  }
  return wrong
}
