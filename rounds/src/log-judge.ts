import type { Stored } from './log-copy.ts'
import type { Sends } from './sends.ts'

/** What is wrong with the messages of a log, given what was answered to their senders. */
export function logViolations(stored: readonly Stored[], sends: Sends): readonly string[] {
  const wrong: string[] = []
  const found = new Set<number>()
  const nextOffset = new Map<number, number>()
  const lastOfLane = new Map<number, number>()
  for (const { number, queueId, queueOffset } of stored) {
    const expected = nextOffset.get(queueId) ?? 0
    if (queueOffset !== expected)
      wrong.push(`queue ${queueId}: message ${number} has offset ${queueOffset}, not ${expected}`)
    nextOffset.set(queueId, queueOffset + 1)
    const sent = number === undefined ? undefined : sends.find(number)
    if (sent === undefined) {
      wrong.push(`queue ${queueId}, offset ${queueOffset}: message ${number} in the log was never sent`)
      continue
    }
    if (found.has(sent.number)) wrong.push(`message ${number} is in the log twice`)
    found.add(sent.number)
    if (sent.fate === 'refused') wrong.push(`message ${number} was refused and is in the log`)
    // What nobody was promised may arrive late; what was acknowledged came before whatever its lane sent next.
    if (sent.fate !== 'acknowledged') continue
    const last = lastOfLane.get(sent.lane) ?? 0
    if (sent.number < last) wrong.push(`message ${number} of lane ${sent.lane} lies behind message ${last}`)
    lastOfLane.set(sent.lane, sent.number)
  }
  return wrong
}

/** Acknowledged messages that a log has not. */
export function lostFrom(stored: readonly Stored[], sends: Sends): readonly number[] {
  const found = new Set(stored.map(({ number }) => number))
  return sends.all.flatMap(({ number, fate }) =>
    fate === 'acknowledged' && !found.has(number) ? [number] : [],
  )
}
