import { SysFlag } from './sys-flag.ts'
import type { RecordVersion } from './log-record.ts'

/**
 * Where the fields of a commit log record lie (RocketMQ CommitLog, versions 1 and 2; all big-endian):
 *
 *      0 TOTALSIZE i32   4 MAGIC i32         8 BODYCRC i32        12 QUEUEID i32      16 FLAG i32
 *     20 QUEUEOFFSET i64                    28 PHYSICALOFFSET i64
 *     36 SYSFLAG i32    40 BORNTIMESTAMP i64                      48 BORNHOST (4|16) + port i32
 *        STORETIMESTAMP i64                    STOREHOST (4|16) + port i32
 *        RECONSUMETIMES i32                    PREPAREDTRANSACTIONOFFSET i64
 *        BODYLEN i32, BODY                     TOPICLEN (i8 | i16), TOPIC      PROPLEN i16, PROPERTIES
 *
 * The hosts' widths follow from SYSFLAG, so everything behind BORNHOST moves with them.
 */
export const TOTAL_SIZE_AT = 0
export const MAGIC_AT = 4
export const BODY_CRC_AT = 8
export const QUEUE_ID_AT = 12
export const FLAG_AT = 16
export const QUEUE_OFFSET_AT = 20
export const PHYSICAL_OFFSET_AT = 28
export const SYS_FLAG_AT = 36
export const BORN_TIMESTAMP_AT = 40
export const BORN_HOST_AT = 48

/** Bytes of TOTALSIZE and MAGIC, which every frame has. */
export const FRAME_HEAD_BYTES = 8

export const MAGIC_V1 = 0xdaa320a7 | 0
export const MAGIC_V2 = 0xdaa320ab | 0
/** The rest of a segment, which no record uses. */
export const MAGIC_BLANK = 0xcbd43194 | 0

/** The shortest record: version 1, IPv4 hosts, no body, topic or properties. */
export const RECORD_BYTES_MIN = 91

/** PROPLEN is a signed 16-bit field. */
export const PROPERTIES_BYTES_MAX = 32767

/** TOPICLEN is a signed 8-bit field in version 1, a signed 16-bit field in version 2. */
export function topicBytesMax(version: RecordVersion): number {
  return version === 1 ? 127 : 32767
}

/** Bytes of address and port of the born host. */
export function bornHostBytes(sysFlag: number): 8 | 20 {
  return (sysFlag & SysFlag.bornHostV6) === 0 ? 8 : 20
}

/** Bytes of address and port of the store host. */
export function storeHostBytes(sysFlag: number): 8 | 20 {
  return (sysFlag & SysFlag.storeHostV6) === 0 ? 8 : 20
}

/** Position of STORETIMESTAMP. */
export function storeTimestampAt(sysFlag: number): number {
  return BORN_HOST_AT + bornHostBytes(sysFlag)
}

/** Position of BODYLEN. */
export function bodyLengthAt(sysFlag: number): number {
  return storeTimestampAt(sysFlag) + 8 + storeHostBytes(sysFlag) + 4 + 8
}

/** Bytes of TOPICLEN. */
export function topicLengthBytes(version: RecordVersion): 1 | 2 {
  return version
}
