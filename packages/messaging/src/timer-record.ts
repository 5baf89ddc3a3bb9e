import { propertyOf } from '@tandemmq/codec'
import type { LogOffset, QueueOffset } from '@tandemmq/base'
import type { MessageToAppend } from './message-log.ts'
import { PropertyName, pair, withPairs } from './property-names.ts'

/** Where messages wait for their time, as in Apache: one queue, number 0. */
export const TIMER_TOPIC = 'rmq_sys_wheel_timer'
export const TIMER_QUEUE_ID = 0

/** Apache's timer works in whole seconds (`timerPrecisionMs`). */
const PRECISION_MS = 1000

/** The record that holds `message` back until `deliverAt` (wall clock, ms). */
export function scheduledRecord(message: MessageToAppend, deliverAt: number): MessageToAppend {
  const extra =
    pair(PropertyName.timerOutMs, `${timerOut(deliverAt)}`) +
    pair(PropertyName.realTopic, message.topic) +
    pair(PropertyName.realQueueId, `${message.queueId}`)
  return {
    ...message,
    topic: TIMER_TOPIC,
    queueId: TIMER_QUEUE_ID,
    properties: withPairs(message.properties, extra),
  }
}

/** Apache rounds down, and an exact second down by one; we keep what it writes but deliver by {@link dueTimeOf}. */
export function timerOut(deliverAt: number): number {
  const rest = deliverAt % PRECISION_MS
  return deliverAt - (rest === 0 ? PRECISION_MS : rest)
}

/** When a scheduled record is due (wall clock, ms): never before the time its sender named, however it was rounded. */
export function dueTimeOf(properties: string): number {
  const out = numberIn(properties, PropertyName.timerOutMs) ?? 0
  const deliver = numberIn(properties, PropertyName.timerDeliverMs) ?? 0
  return Math.max(out, deliver)
}

/** The real target of a scheduled record; `undefined` if it names none. */
export function targetOf(
  properties: string,
): { readonly topic: string; readonly queueId: number } | undefined {
  const topic = propertyOf(properties, PropertyName.realTopic)
  const queueId = numberIn(properties, PropertyName.realQueueId)
  return topic === undefined || queueId === undefined ? undefined : { topic, queueId }
}

/** Which scheduled record a re-put one delivers. */
export interface ScheduledMark {
  /** In the timer queue. */
  readonly queueOffset: QueueOffset
  /** Of the scheduled record. */
  readonly physicalOffset: LogOffset
}

export function scheduledMark({ queueOffset, physicalOffset }: ScheduledMark): string {
  return pair(PropertyName.scheduled, `${queueOffset}@${physicalOffset}`)
}

/** The mark of a re-put record; `undefined` for every other record. */
export function scheduledMarkOf(properties: string): ScheduledMark | undefined {
  // Every dispatched record comes through here: most end at this search.
  if (!properties.includes(PropertyName.scheduled)) return undefined
  const match = /^(\d{1,16})@(\d{1,16})$/.exec(propertyOf(properties, PropertyName.scheduled) ?? '')
  if (!match) return undefined
  return { queueOffset: Number(match[1]), physicalOffset: Number(match[2]) }
}

function numberIn(properties: string, name: string): number | undefined {
  const text = propertyOf(properties, name)
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
