import { BrokerError } from '@tandemmq/base'
import { routeOfReceiptHandle } from '@tandemmq/codec'
import { rocketmq } from '@tandemmq/rpc'
import { statusOf } from '../client-api/error-status.ts'
import { commonStatus } from '../client-api/send-message.ts'

/** One set's share of an acknowledgement. */
export interface AckShare {
  readonly set: string
  readonly request: rocketmq.AckMessageRequest
  /** Places of its entries in the whole request. */
  readonly places: readonly number[]
}

/** Shares by set; entries whose handle says nothing are in none. */
export function ackShares(request: rocketmq.AckMessageRequest): readonly AckShare[] {
  const places = new Map<string, number[]>()
  for (const [place, { receiptHandle }] of request.entries.entries()) {
    const set = setOf(receiptHandle)
    if (set !== undefined) places.set(set, [...(places.get(set) ?? []), place])
  }
  return [...places].map(([set, mine]) => ({
    set,
    places: mine,
    request: { ...request, entries: request.entries.filter((_, place) => mine.includes(place)) },
  }))
}

/** One answer from those of the shares: an entry per entry of the request, in order. A share that failed is its status. */
export function mergedAckAnswer(
  request: rocketmq.AckMessageRequest,
  shares: readonly AckShare[],
  answers: readonly (rocketmq.AckMessageResponse | rocketmq.Status)[],
): rocketmq.AckMessageResponse {
  const invalid: rocketmq.Status = {
    code: rocketmq.Code.INVALID_RECEIPT_HANDLE,
    message: 'receipt handle is expired or invalid',
  }
  const statuses = request.entries.map(() => invalid)
  for (const [index, { places }] of shares.entries()) {
    const answer = answers[index]
    if (!answer) continue
    for (const [entry, place] of places.entries()) {
      statuses[place] =
        'entries' in answer ? (answer.entries[entry]?.status ?? answer.status ?? invalid) : answer
    }
  }
  const entries = request.entries.map(({ messageId, receiptHandle }, place) => ({
    messageId,
    receiptHandle,
    status: statuses[place] ?? invalid,
  }))
  return { status: commonStatus(entries.map(({ status }) => status)), entries }
}

/** The status for a share that was not answered. */
export function failedShare(reason: unknown): rocketmq.Status {
  const status = statusOf(reason)
  if (status === undefined) throw reason
  return status
}

function setOf(receiptHandle: string): string | undefined {
  try {
    return routeOfReceiptHandle(receiptHandle).set
  } catch (thrown) {
    if (thrown instanceof BrokerError) return undefined
    throw thrown
  }
}
