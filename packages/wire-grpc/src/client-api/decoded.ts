import { rocketmq } from '@tandemmq/rpc'
import { StatusError } from './status-error.ts'

/** What `decode` gives; BAD_REQUEST if the bytes are no message of that type. */
export function decoded<T>(decode: () => T): T {
  try {
    return decode()
  } catch {
    throw new StatusError(rocketmq.Code.BAD_REQUEST, 'the request is no valid message of its type')
  }
}
