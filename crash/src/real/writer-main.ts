import { writeSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { BrokerError, messageOf, silentLogger, silentMeter } from '@tandemmq/base'
import { NodeClock, NodeFiles, NodeRandom } from '@tandemmq/platform-node'
import { MessageStore } from '@tandemmq/storage'
import { WatchedFiles, type WatchedCall } from '@tandemmq/testkit'
import { walkLog } from '../log-walk.ts'
import { numberedMessage, whatDiffers } from './numbered-messages.ts'
import { SEGMENT_BYTES, type WriterLine, type WriterOrders } from './writer-orders.ts'

/** A process that opens a store, says what it found, and appends until it dies. Its orders are the first argument. */
const orders: WriterOrders = JSON.parse(process.argv[2] ?? '')
const MAX_MESSAGE_BYTES = 64 * 1024
/** After so many refusals in a row it gives up. */
const REFUSALS_MAX = 20

let calls = Number.NEGATIVE_INFINITY

try {
  const store = await open()
  const found = check(store)
  tell('found', found)
  if (store.lineage === undefined) await store.createLineage()
  await store.openEpoch()
  calls = 0
  await append(store, found)
  await store.close()
} catch (failure) {
  // A disk that fails may fail a start as well; what that has lost, the next one tells.
  tell('refused', failure instanceof BrokerError ? failure.code : messageOf(failure))
}

function open(): Promise<MessageStore> {
  const files = new WatchedFiles(new NodeFiles(), dieIfTold)
  return MessageStore.open(
    {
      root: orders.directory,
      storeHost: { ip: '127.0.0.1', port: 10911 },
      bootId: orders.bootId,
      segmentBytes: SEGMENT_BYTES,
      consumeQueueFileBytes: 4000,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      preZeroBytes: 64 * 1024,
      flushIntervalMs: 20,
      positionIntervalMs: 15,
      queueSyncIntervalMs: 40,
      index: { slots: 100, entries: 400 },
    },
    {
      files,
      clock: new NodeClock(),
      random: new NodeRandom(),
      logger: silentLogger,
      meter: silentMeter,
    },
  )
}

/** How many messages there are. Says what is broken. */
function check(store: MessageStore): number {
  const records = walkLog(store, { recordBytesMax: MAX_MESSAGE_BYTES + 65536, segmentBytes: SEGMENT_BYTES })
  for (const [number, record] of records.entries()) {
    const wrong = whatDiffers(record, number)
    if (wrong !== undefined) tell('broken', wrong)
    const unit = store.queue(record.topic, 0)?.unit(record.queueOffset)
    if (unit?.offset !== record.physicalOffset) tell('broken', `message ${number} is not in its queue`)
  }
  let queued = 0
  for (const queue of store.queueOffsets()) queued += queue.maxOffset
  if (queued !== records.length) tell('broken', `${queued} messages in queues, ${records.length} in the log`)
  if (records.length < orders.acknowledged) {
    tell('broken', `${records.length} messages of ${orders.acknowledged} acknowledged ones`)
  }
  return records.length
}

async function append(store: MessageStore, from: number): Promise<void> {
  let refusals = 0
  for (let number = from; number < from + orders.messagesMax && refusals < REFUSALS_MAX;) {
    try {
      store.append(numberedMessage(number))
      number += 1
      refusals = 0
      tell('appended', number)
      if (number % orders.flushEvery !== 0) continue
      await store.flush()
      tell('flushed', number)
    } catch (failure) {
      if (!(failure instanceof BrokerError)) throw failure
      refusals += 1
      tell('refused', failure.code)
    }
    await turn()
  }
}

function dieIfTold({ halfOfIt }: WatchedCall): void {
  calls += 1
  if (calls !== orders.killAt) return
  if (calls % 2 === 0) halfOfIt?.()
  process.kill(process.pid, 'SIGKILL')
}

/** Out of the process before anything else happens in it. */
function tell(line: WriterLine, what: number | string): void {
  writeSync(1, `${line} ${what}\n`)
}
