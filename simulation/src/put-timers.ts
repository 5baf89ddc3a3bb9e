import { propertyOf } from '@tandemmq/codec'
import type { Broker } from '@tandemmq/broker'
import { idOf, type WrittenLog } from './written-log.ts'

export const TIMER_TOPIC = 'rmq_sys_wheel_timer'

/**
 * A scheduled message is put into its topic once, whoever served it before (rule 5.6): in the log that is left in the end, what is known to be put lies there, and nothing
 * lies there twice. `expires`: old files of the log were removed.
 */
export function timerViolations({ metadata }: Broker, log: WrittenLog, expires: boolean): string[] {
  const puts = new Map<string, number>()
  const wrong: string[] = []
  const records = [...log.records.values()]
  for (const record of records) {
    const mark = propertyOf(record.properties, '__TMQ_SCHEDULED')
    if (mark !== undefined) puts.set(mark, (puts.get(mark) ?? 0) + 1)
  }
  for (const record of records) {
    const { topic, queueOffset, physicalOffset } = record
    if (topic !== TIMER_TOPIC) continue
    const count = puts.get(`${queueOffset}@${physicalOffset}`) ?? 0
    const isMissing = count === 0 && metadata.delay.isDone(queueOffset) && !expires
    if (count > 1) wrong.push(`put twice: ${idOf(record)} was put into its topic ${count} times`)
    else if (isMissing) wrong.push(`not put: ${idOf(record)} is said to be in its topic and is not`)
  }
  return wrong
}
