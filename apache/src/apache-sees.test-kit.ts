import { until } from '@tandemmq/interop'
import { expect } from 'vitest'
import type { ApacheBroker } from './apache-broker.ts'
import type { ApacheClient, SeenMessage } from './apache-client.ts'
import { expectedQueues } from './expected-queues.ts'
import { readLog } from './log-file-records.ts'

/** More messages have these than one query gives. */
const COMMON_KEYS = new Set(['shared', 'k1', 'k2', 'k3'])
/** Where our timers wait. Apache's broker answers for it only with its own timer wheel on. */
const HIDDEN_TOPICS = new Set(['rmq_sys_wheel_timer'])

/**
 * Demands that Apache's broker serves every message that lies in `store`, each as it was written: by queue offset, and the first, middle
 * and last of each queue by message id, by the client's message id and by key. Returns how many it served.
 */
export async function apacheServesAll(
  client: ApacheClient,
  broker: ApacheBroker,
  store: string,
): Promise<number> {
  let served = 0
  for (const { topic, queueId, messages } of expectedQueues(readLog(store).records)) {
    if (HIDDEN_TOPICS.has(topic)) continue
    const queue = await client.queue(broker.address, topic, queueId)
    expect(queue, `${topic}-${queueId}`).toEqual({ minOffset: 0, maxOffset: messages.length, messages })
    for (const at of new Set([0, messages.length >> 1, messages.length - 1])) {
      const message = messages[at]
      if (message === undefined) continue
      expect(await client.view(broker.address, topic, message.messageId)).toEqual(message)
      await apacheFindsByKeys(client, broker, message)
    }
    served += messages.length
  }
  return served
}

/** Behind dispatch comes the index, so the newest messages may take a moment. */
async function apacheFindsByKeys(
  client: ApacheClient,
  broker: ApacheBroker,
  message: SeenMessage,
): Promise<void> {
  const { topic, messageId, uniqueKey, keys } = message
  const asked = [
    ...(uniqueKey === undefined ? [] : [{ key: uniqueKey, unique: true }]),
    ...(keys ?? '')
      .split(' ')
      .filter((key) => key !== '' && !COMMON_KEYS.has(key))
      .map((key) => ({ key, unique: false })),
  ]
  for (const { key, unique } of asked) {
    await until(`${messageId} by ${key}`, async () => {
      const found = await client.byKey(broker.address, topic, key, unique)
      return found.some((one) => one.messageId === messageId)
    })
  }
}
