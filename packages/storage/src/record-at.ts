import type { LogOffset } from '@tandemmq/base'
import type { LogRecord } from '@tandemmq/codec'

/** A record as recovery can read it, in one read where its size is known; `undefined` if there is no whole one at that place. */
export type RecordAt = (offset: LogOffset, size?: number) => LogRecord | undefined
