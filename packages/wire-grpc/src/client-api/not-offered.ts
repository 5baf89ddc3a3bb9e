import { rocketmq } from '@tandemmq/rpc'
import { topicName } from './resource-names.ts'
import { StatusError } from './status-error.ts'

const { Code } = rocketmq

/** Transactions are not offered yet: NOT_IMPLEMENTED, after the checks that Apache's proxy makes. */
export function endTransaction(request: rocketmq.EndTransactionRequest): never {
  topicName(request.topic)
  if (request.transactionId.trim() === '') {
    throw new StatusError(Code.INVALID_TRANSACTION_ID, 'transaction id cannot be empty')
  }
  throw new StatusError(Code.NOT_IMPLEMENTED, 'this broker does not do transactional messages')
}

/** Recalling is not offered yet: NOT_IMPLEMENTED (a broker of Apache refuses it too unless it is switched on). */
export function recallMessage(request: rocketmq.RecallMessageRequest): never {
  topicName(request.topic)
  throw new StatusError(Code.NOT_IMPLEMENTED, 'this broker does not recall messages')
}
