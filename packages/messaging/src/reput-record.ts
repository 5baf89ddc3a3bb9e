import type { QueueOffset } from '@tandemmq/base'
import type { LogRecord } from '@tandemmq/codec'
import type { MessageToAppend } from './message-log.ts'
import { PropertyName, pair, withPairs } from './property-names.ts'
import { scheduledMark } from './timer-record.ts'

/** Apache's timer counts in whole seconds. */
const PRECISION_MS = 1000

/** A scheduled message as it comes into its real topic: all its properties, those that Apache's timer adds, and our mark. */
export function reputRecord(
  scheduled: LogRecord,
  target: { readonly topic: string; readonly queueId: number },
  queueOffset: QueueOffset,
  now: number,
): MessageToAppend {
  const { storeTimestamp, physicalOffset } = scheduled
  const added =
    pair(PropertyName.timerEnqueueMs, `${storeTimestamp - (storeTimestamp % PRECISION_MS)}`) +
    pair(PropertyName.timerDequeueMs, `${now}`) +
    scheduledMark({ queueOffset, physicalOffset })
  return {
    topic: target.topic,
    queueId: target.queueId,
    flag: scheduled.flag,
    sysFlag: scheduled.sysFlag,
    bornTimestamp: scheduled.bornTimestamp,
    bornHost: scheduled.bornHost,
    reconsumeTimes: scheduled.reconsumeTimes,
    preparedTransactionOffset: 0,
    body: scheduled.body,
    properties: withPairs(scheduled.properties, added),
  }
}
