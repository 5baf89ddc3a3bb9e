import type { Contact, Entry } from './ledger.ts'
import type { Loss } from './loss.ts'
import { idOf, type WrittenLog } from './written-log.ts'

/**
 * One value per (topic, queue, offset), for all readers ever, and it is the one in the log. What was lost with the end of a log is the only exception:
 * those who read it before may have read another value than those who read after.
 */
export function valueViolations(
  entries: readonly Entry[],
  log: WrittenLog | undefined,
  loss: Loss | undefined,
): string[] {
  const kept = new Map<string, string>()
  const lost = new Map<string, string>()
  const wrong: string[] = []
  for (const { id, delivered } of entries) {
    for (const contact of delivered) {
      const isLost = loss?.hasLost(contact, id) === true
      const values = isLost ? lost : kept
      const { place } = contact
      const value = `${id}, at ${contact.position}`
      const known = values.get(place)
      values.set(place, value)
      if (known !== undefined && known !== value) wrong.push(`two values: ${place} is ${known} and ${value}`)
      else if (known === undefined && !isLost && log !== undefined && !isIn(log, contact, id))
        wrong.push(
          `unsafe read: ${id} was received from ${contact.by}, and the log does not have it at ${place}`,
        )
    }
  }
  return wrong
}

function isIn(log: WrittenLog, { position, place }: Contact, id: string): boolean {
  if (position < log.begin) return true
  const record = log.records.get(position)
  return record !== undefined && idOf(record) === id && placeOf(record) === place
}

/** Topic, queue and offset, as one word. */
export function placeOf(record: {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: number
}): string {
  return `${record.topic}/${record.queueId}@${record.queueOffset}`
}
