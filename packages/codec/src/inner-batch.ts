import { BrokerError, type QueueOffset } from '@tandemmq/base'
import type { LogRecord } from './log-record.ts'
import { decodeMessageBatch, type BatchElement } from './message-batch.ts'
import { propertyOf } from './properties.ts'
import { SysFlag } from './sys-flag.ts'

/** Properties of a record that holds several messages. */
export const INNER_NUM = 'INNER_NUM'
export const INNER_BASE = 'INNER_BASE'

/** SYSFLAG bits of a record that holds several messages. */
export const INNER_BATCH_FLAGS: number = SysFlag.needUnwrap | SysFlag.innerBatch

/** A message of an inner batch; everything else it shares with the record. */
export interface InnerMessage extends BatchElement {
  readonly queueOffset: QueueOffset
}

/**
 * The messages of a record whose SYSFLAG has {@link INNER_BATCH_FLAGS}; its body must not be compressed any more.
 * Queue offsets count from `INNER_BASE`. Throws `LOG_CORRUPT` if body and properties contradict each other.
 */
export function decodeInnerBatch(
  record: Pick<LogRecord, 'body' | 'properties' | 'physicalOffset'>,
): InnerMessage[] {
  const base = Number(propertyOf(record.properties, INNER_BASE))
  const count = Number(propertyOf(record.properties, INNER_NUM))
  const elements = elementsOf(record)
  if (!Number.isSafeInteger(base) || base < 0 || count !== elements.length) {
    throw corrupt(record.physicalOffset)
  }
  return elements.map((element, index) => ({ ...element, queueOffset: base + index }))
}

/** The properties of a record that holds `count` messages from queue offset `base` on, as Apache completes those of the batch. */
export function innerBatchProperties(properties: string, count: number, base: QueueOffset): string {
  const open = properties === '' || properties.endsWith('\u0002') ? '' : '\u0002'
  return `${properties}${open}${INNER_NUM}\u0001${count}\u0002${INNER_BASE}\u0001${base}\u0002`
}

function elementsOf({ body, physicalOffset }: Pick<LogRecord, 'body' | 'physicalOffset'>): BatchElement[] {
  try {
    return decodeMessageBatch(body)
  } catch (cause) {
    throw corrupt(physicalOffset, cause)
  }
}

function corrupt(offset: number, cause?: unknown): BrokerError {
  return new BrokerError('LOG_CORRUPT', 'an inner batch does not hold what its properties say', {
    facts: { offset },
    cause,
  })
}
