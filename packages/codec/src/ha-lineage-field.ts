import { BrokerError, invariant } from '@tandemmq/base'
import { isOffset, readInt64, writeInt64 } from './int64.ts'
import type { Epoch, Lineage } from './lineage.ts'

/**
 * A log's ancestry inside a hello or an answer:
 *
 *     0              16           24          32            40
 *     +--------------+------------+-----------+-------------+---
 *     | log id       | epoch i64  | start i64 | opener 8 B  | …  one such triple per epoch, ascending
 *     +--------------+------------+-----------+-------------+---
 *
 * At most the {@link LINEAGE_EPOCHS_MAX} newest epochs travel. That is enough: an epoch in common (its opener's 64
 * random bits included) means that everything below it is in common too.
 */
export const LINEAGE_EPOCHS_MAX = 1024

const LOG_ID_BYTES = 16
const EPOCH_BYTES = 24

export function encodeLineage(lineage: Lineage): Buffer {
  const epochs = lineage.epochs.slice(-LINEAGE_EPOCHS_MAX)
  const target = Buffer.alloc(LOG_ID_BYTES + epochs.length * EPOCH_BYTES)
  invariant(target.write(lineage.logId, 0, 'hex') === LOG_ID_BYTES, 'a log id is 32 hex digits')
  epochs.forEach((epoch, index) => {
    const at = LOG_ID_BYTES + index * EPOCH_BYTES
    writeInt64(target, at, epoch.epoch)
    writeInt64(target, at + 8, epoch.start)
    invariant(target.write(epoch.opener, at + 16, 'hex') === 8, 'an opener is 16 hex digits')
  })
  return target
}

/** Throws `PROTOCOL_VIOLATION` unless the epochs ascend and their starts do not descend. */
export function decodeLineage(source: Buffer): Lineage {
  const count = (source.length - LOG_ID_BYTES) / EPOCH_BYTES
  if (!Number.isInteger(count) || count < 0 || count > LINEAGE_EPOCHS_MAX) {
    throw violation(`a lineage of ${source.length} bytes`)
  }
  const epochs: Epoch[] = []
  for (let at = LOG_ID_BYTES; at < source.length; at += EPOCH_BYTES) {
    const epoch = readInt64(source, at)
    const start = readInt64(source, at + 8)
    const before = epochs.at(-1)
    if (!isOffset(epoch) || !isOffset(start)) throw violation(`epoch ${epoch} at ${start}`)
    if (before !== undefined && (epoch <= before.epoch || start < before.start)) {
      throw violation(`epoch ${epoch} at ${start} follows epoch ${before.epoch} at ${before.start}`)
    }
    epochs.push({ epoch, start, opener: source.toString('hex', at + 16, at + 24) })
  }
  return { logId: source.toString('hex', 0, LOG_ID_BYTES), epochs }
}

function violation(message: string): BrokerError {
  return new BrokerError('PROTOCOL_VIOLATION', message)
}
