import { BrokerError } from '@tandemmq/base'
import { recordSize } from '@tandemmq/codec'
import { rocketmq } from '@tandemmq/rpc'
import { expect, test } from 'vitest'
import { statusOf } from './error-status.ts'

const { Code } = rocketmq

/** What the store throws for properties that no record can hold. */
function tooLongProperties(): unknown {
  const host = { ip: '127.0.0.1', port: 1 }
  try {
    return recordSize({
      version: 1,
      queueId: 0,
      flag: 0,
      queueOffset: 0,
      physicalOffset: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: host,
      storeTimestamp: 0,
      storeHost: host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.alloc(0),
      topic: 't',
      properties: 'p'.repeat(32_768),
    })
  } catch (failure) {
    return failure
  }
}

test.each([
  ['body-size', Code.MESSAGE_BODY_TOO_LARGE],
  ['properties-size', Code.MESSAGE_PROPERTIES_TOO_LARGE],
  ['topic-size', Code.BAD_REQUEST],
  [undefined, Code.BAD_REQUEST],
])('a message that the store refuses by its rule %s has the code %i', (rule, code) => {
  const refusal = new BrokerError('MESSAGE_ILLEGAL', 'x', { facts: rule === undefined ? {} : { rule } })
  expect(statusOf(refusal)?.code).toBe(code)
})

test('properties that no record can hold are told as such, whoever finds out', () => {
  expect(statusOf(tooLongProperties())?.code).toBe(Code.MESSAGE_PROPERTIES_TOO_LARGE)
})
