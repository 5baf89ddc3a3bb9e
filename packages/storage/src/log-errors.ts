import { BrokerError, messageOf, type LogOffset } from '@tandemmq/base'

/** `ILLEGAL_ARGUMENT`: bytes were asked for that the log does not have. */
export function outsideLog(offset: LogOffset, size: number, min: LogOffset, end: LogOffset): BrokerError {
  return new BrokerError(
    'ILLEGAL_ARGUMENT',
    `the log has [${min}, ${end}), asked for ${size} bytes at ${offset}`,
    {
      facts: { offset, size, min, end },
    },
  )
}

/** `OFFSET_EXPIRED`: the bytes were there once. */
export function expired(offset: LogOffset, min: LogOffset): BrokerError {
  return new BrokerError('OFFSET_EXPIRED', `what lay at ${offset} has expired: the log begins at ${min}`, {
    facts: { offset, min },
  })
}

/** `SYSTEM_BUSY`: a segment could not be opened for want of a file descriptor. */
export function outOfDescriptors(end: LogOffset, cause: unknown): BrokerError {
  return new BrokerError(
    'SYSTEM_BUSY',
    `no file descriptor is left for the commit log (${messageOf(cause)})`,
    { facts: { end }, cause },
  )
}
