import type { Host } from '@tandemmq/codec'

/** A message as the broker hands it over; the store adds places, times and checksums. */
export interface MessageToAppend {
  readonly topic: string
  readonly queueId: number
  /** The user's own i32. */
  readonly flag: number
  /** See `SysFlag`. */
  readonly sysFlag: number
  readonly bornTimestamp: number
  readonly bornHost: Host
  readonly reconsumeTimes: number
  readonly preparedTransactionOffset: number
  readonly body: Buffer
  /** Raw text, see `encodeProperties`. */
  readonly properties: string
}
