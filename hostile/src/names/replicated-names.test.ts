import type { Counter, Meter } from '@tandemmq/base'
import { silentMeter } from '@tandemmq/base'
import { encodeRecord, recordSize } from '@tandemmq/codec'
import { MessageStore } from '@tandemmq/storage'
import { expect, test } from 'vitest'
import { ROOT, StoreMachine } from '../files/broker-stores.ts'
import { imageOf } from '../files/file-image.ts'
import { HOSTILE_NAMES, PROTOTYPE_NAMES } from './hostile-names.ts'

/** A record as a master that believes anything would write it. */
function record(topic: string, physicalOffset: number, queueId = 0, queueOffset = 0): Buffer {
  const fields = {
    version: Buffer.byteLength(topic) > 127 ? (2 as const) : (1 as const),
    queueId: 0,
    flag: 0,
    queueOffset: 0,
    physicalOffset,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: { ip: '10.0.0.1', port: 1 },
    storeTimestamp: 2,
    storeHost: { ip: '10.0.0.2', port: 2 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from('body'),
    topic,
    properties: '',
  }
  const bytes = Buffer.alloc(recordSize(fields))
  encodeRecord(bytes, 0, fields)
  // What the encoder refuses; where these lie is in the record's layout.
  bytes.writeInt32BE(queueId, 12)
  bytes.writeBigInt64BE(BigInt(queueOffset), 20)
  return bytes
}

/** Counts what is counted under one name. */
function countingMeter(wanted: string, count: { value: number }): Meter {
  const counter = (name: string): Counter => ({
    add: (amount = 1) => {
      if (name === wanted) count.value += amount
    },
  })
  return { ...silentMeter, counter }
}

test('a record with a name that cannot be stays in the log of a slave, byte for byte, and in no directory (rule 2.9)', async () => {
  const machine = new StoreMachine()
  const count = { value: 0 }
  const meter = countingMeter('rocketmq_ha_unqueued_records_total', count)
  const opening = (): Promise<MessageStore> =>
    machine.clock.outcome(
      MessageStore.open(
        {
          root: ROOT,
          storeHost: { ip: '127.0.0.1', port: 1 },
          bootId: 'boot',
          segmentBytes: 65_536,
          preZeroBytes: 0,
        },
        {
          files: machine.disk.mount(),
          clock: machine.clock,
          random: machine.random,
          logger: machine.logger,
          meter,
        },
      ),
    )
  const store = await opening()
  const told: string[] = []
  store.onDispatched(({ topic }) => told.push(topic))

  const pieces: Buffer[] = []
  const append = (
    ...of: Parameters<typeof record> extends [infer T, number, ...infer R] ? [T, ...R] : never
  ): void => {
    const [topic, ...rest] = of
    const bytes = record(topic, store.end, ...rest)
    pieces.push(bytes)
    store.appendRaw(store.end, bytes)
  }
  append('before')
  for (const name of HOSTILE_NAMES) if (name !== '') append(name)
  append('queues', -1)
  append('queues', 2 ** 31 - 1)
  append('queues', 0, 2 ** 52)
  for (const name of PROTOTYPE_NAMES) append(name)
  append('behind')
  await machine.clock.outcome(store.dispatched.reached(store.end))
  await machine.clock.outcome(store.flush())

  const legal = ['before', ...PROTOTYPE_NAMES, 'behind']
  expect(told).toEqual(legal)
  const refused = HOSTILE_NAMES.length - 1 + 3
  expect(count.value).toBe(refused)
  expect(machine.logger.lines.filter(({ facts }) => facts['code'] === 'MESSAGE_ILLEGAL')).toHaveLength(1)
  expect(store.read(0, store.end)).toEqual(Buffer.concat(pieces))
  expect(machine.disk.list(`${ROOT}/consumequeue`)).toEqual([...legal].toSorted())
  for (const path of imageOf(machine.disk, '').keys()) expect(path.startsWith(`${ROOT}/`), path).toBe(true)

  // A restart reads the same records again, and finds the same.
  await machine.clock.outcome(store.close())
  machine.disk.remove(`${ROOT}/consumequeue`)
  const again = await opening()
  expect([...again.queueOffsets()].map(({ topic }) => topic)).toEqual(legal)
  expect(again.read(0, again.end)).toEqual(Buffer.concat(pieces))
})
