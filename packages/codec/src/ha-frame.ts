import { BrokerError } from '@tandemmq/base'
import type { LogOffset } from '@tandemmq/base'
import { isOffset, readInt64, writeInt64 } from './int64.ts'

/**
 * The two units of RocketMQ's default HA protocol, both big-endian, neither with a magic or a version:
 *
 *     slave to master, a report           master to slave, a frame
 *     0                 8                 0                 8          12           12 + n
 *     +-----------------+                 +-----------------+----------+------------+
 *     | end of log  i64 |                 | log offset  i64 | n    i32 | n log bytes|
 *     +-----------------+                 +-----------------+----------+------------+
 *
 * A frame of size 0 is a heartbeat and names the next offset to be sent. Body bytes never cross a segment end.
 * Apache's own values are never negative: a negative report, or a negative size, opens a control frame (rule 2.3).
 */
export const REPORT_BYTES = 8
export const FRAME_HEADER_BYTES = 12

/** The largest body a peer may announce. Apache's slave holds a frame in a buffer of 4 MiB, header included. */
export const FRAME_BODY_MAX = 4 * 1024 * 1024 - FRAME_HEADER_BYTES

/** The largest control frame in either direction, without its opening (rule 2.3). */
export const CONTROL_BYTES_MAX = 64 * 1024

export interface FrameHeader {
  /** Log offset of the first body byte. */
  readonly offset: LogOffset
  /** Body bytes that follow; 0 for a heartbeat, negative for a control frame of that many bytes. */
  readonly size: number
}

export function encodeReport(position: LogOffset): Buffer {
  const report = Buffer.allocUnsafe(REPORT_BYTES)
  writeInt64(report, 0, position)
  return report
}

export function encodeFrameHeader(offset: LogOffset, size: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES)
  writeInt64(header, 0, offset)
  header.writeInt32BE(size, 8)
  return header
}

/** Throws `PROTOCOL_VIOLATION` for an offset that is none, a size out of range, or a body that ends where no log can. */
export function decodeFrameHeader(source: Buffer, at: number): FrameHeader {
  const offset = readInt64(source, at)
  const size = source.readInt32BE(at + 8)
  if (!isOffset(offset)) {
    throw new BrokerError('PROTOCOL_VIOLATION', `a frame starts at ${offset}, which is no log offset`)
  }
  if (size > FRAME_BODY_MAX || size < -CONTROL_BYTES_MAX) {
    throw new BrokerError('PROTOCOL_VIOLATION', `a frame announces ${size} bytes`, {
      facts: { offset, size },
    })
  }
  if (!isOffset(offset + Math.max(0, size))) {
    throw new BrokerError('PROTOCOL_VIOLATION', `a frame of ${size} bytes at ${offset} ends at no log offset`)
  }
  return { offset, size }
}
