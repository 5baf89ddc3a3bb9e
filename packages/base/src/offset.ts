import { BrokerError } from './errors.ts'

/** A byte position in a commit log. An integer in [0, 2^53): 9 PB. */
export type LogOffset = number

/** The index of a message in its consume queue. An integer in [0, 2^53). */
export type QueueOffset = number

/** Checks a position that comes from disk or wire. Throws `PROTOCOL_VIOLATION` naming `what`. */
export function checkedOffset(value: bigint | number, what: string): number {
  const offset = Number(value)
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new BrokerError('PROTOCOL_VIOLATION', `${what} is ${value}, which is no position`)
  }
  return offset
}
