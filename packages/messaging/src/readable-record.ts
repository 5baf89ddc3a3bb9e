import { BrokerError, messageOf, type LogOffset, type Logger, type QueueOffset } from '@tandemmq/base'
import type { LogRecord } from '@tandemmq/codec'
import type { MessageLog } from './message-log.ts'

/**
 * The record, or `undefined` if it has expired, or (and a line in the log) if its bytes are damaged: one record must not hold up all behind it.
 */
export function readableRecord(
  log: MessageLog,
  { offset, size }: { readonly offset: LogOffset; readonly size: number },
  logger: Logger,
  queueOffset?: QueueOffset,
): LogRecord | undefined {
  try {
    return log.record(offset, size, queueOffset)
  } catch (cause) {
    if (cause instanceof BrokerError && cause.code === 'OFFSET_EXPIRED') return undefined
    if (!(cause instanceof BrokerError) || cause.code !== 'LOG_CORRUPT') throw cause
    logger.error({ offset, size, why: messageOf(cause) }, 'a record cannot be read and is passed over')
    return undefined
  }
}
