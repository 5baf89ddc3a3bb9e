import { BrokerError } from '@tandemmq/base'
import { expect, test } from 'vitest'
import { AppendTurn } from './append-turn.ts'
import type { Appended, MessageToAppend } from './message-log.ts'

const record: MessageToAppend = {
  topic: 'orders',
  queueId: 0,
  flag: 0,
  sysFlag: 0,
  bornTimestamp: 0,
  bornHost: { ip: '127.0.0.1', port: 1 },
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: Buffer.from('body'),
  properties: '',
}

function outcome({ queueId }: MessageToAppend): Appended | BrokerError {
  if (queueId === 9) return new BrokerError('DISK_FULL', 'no room')
  return { offset: queueId, size: 1, end: queueId + 1, queueOffset: queueId, storeTimestamp: 0 }
}

/** A log that refuses queue 9. */
function gathering(): {
  readonly turn: AppendTurn
  readonly groups: number[][]
} {
  const groups: number[][] = []
  const turn = new AppendTurn({
    appendAll(messages) {
      groups.push(messages.map(({ queueId }) => queueId))
      return messages.map(outcome)
    },
  })
  return { turn, groups }
}

test('messages of one turn go to the log together, in their order, and each gets its own outcome', async () => {
  const { turn, groups } = gathering()
  const settled = Promise.allSettled([0, 9, 1].map((queueId) => turn.append({ ...record, queueId })))
  expect(groups).toEqual([])
  const statuses = (await settled).map((each) =>
    each.status === 'fulfilled' ? each.value.queueOffset : each.reason,
  )
  expect(statuses).toEqual([0, expect.objectContaining({ code: 'DISK_FULL' }), 1])
  await turn.append({ ...record, queueId: 2 })
  expect(groups).toEqual([[0, 9, 1], [2]])
})

test('a log that takes nothing at all refuses everybody of the turn, and the next turn is tried again', async () => {
  let isClosed = true
  const turn = new AppendTurn({
    appendAll() {
      if (isClosed) throw new BrokerError('LOG_CLOSED', 'closed')
      return [{ offset: 0, size: 1, end: 1, queueOffset: 0, storeTimestamp: 0 }]
    },
  })
  const outcomes = await Promise.allSettled([turn.append(record), turn.append(record)])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  isClosed = false
  await expect(turn.append(record)).resolves.toMatchObject({ end: 1 })
})
