import { silentLogger, silentMeter } from '@tandemmq/base'
import { encodeRecord, recordSize } from '@tandemmq/codec'
import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { scanLog } from './log-scan.ts'
import { MessageStore } from './message-store.ts'
import { PropertyChecksums } from './property-checksums.ts'
import { SegmentReader } from './segment-reader.ts'

const LOG = '/store/commitlog/00000000000000000000'

const storeHost = { ip: '10.0.0.1', port: 10911 }

function message(properties: string) {
  return {
    topic: 'orders',
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: storeHost,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from('body'),
    properties,
  }
}

/** A machine with a store that may be written. */
async function machineWithStore() {
  const clock = new SimulatedClock()
  const random = new SeededRandom(1)
  const files = new SimulatedFiles({ clock, random })
  const ports = { files, clock, random, logger: silentLogger, meter: silentMeter }
  const open = (bootId: string) =>
    clock.outcome(MessageStore.open({ root: '/store', storeHost, bootId, segmentBytes: 64 * 1024 }, ports))
  const store = await open('first')
  await clock.outcome(store.createLineage())
  await clock.outcome(store.openEpoch())
  return { clock, files, open, store }
}

/** A store whose last record was not synced before the machine lost its power, and lost `range` of it. */
async function openedAfterLoss(lost: (record: { offset: number; end: number }) => readonly [number, number]) {
  const { clock, files, open, store } = await machineWithStore()
  const properties = `KEY\u0001${'value '.repeat(200)}\u0002`
  store.append(message(properties))
  await clock.advance(2_000)
  const whole = store.end
  const record = store.append(message(properties))
  await clock.settle()
  const [from, to] = lost(record)
  files.corrupt(LOG, from, Buffer.alloc(to - from))
  files.kill()
  return { end: (await open('second')).end, whole, record }
}

test('a last record whose body was not saved is a torn tail', async () => {
  const { end, whole } = await openedAfterLoss(({ offset }) => [offset + 88, offset + 92])
  expect(end).toBe(whole)
})

test.each([
  ['the sector in which its properties end', (end: number) => end - (end % 512), (end: number) => end],
  [
    'a sector in the middle of them',
    (end: number) => end - (end % 512) - 512,
    (end: number) => end - (end % 512),
  ],
])('a last record that lost %s is a torn tail', async (_what, from, to) => {
  const { end, whole } = await openedAfterLoss(({ end: recordEnd }) => [from(recordEnd), to(recordEnd)])
  expect(end).toBe(whole)
})

test('a last record that was saved whole stays', async () => {
  const { end, record } = await openedAfterLoss((it) => [it.end, it.end + 100])
  expect(end).toBe(record.end)
})

const zeros = `KEY\u0001${'\u0000'.repeat(3000)}\u0002`

test('zeros in properties that were on disk are what a client of Apache has sent', async () => {
  const { clock, files, open, store } = await machineWithStore()
  store.append(message(zeros))
  await clock.advance(5_000)
  const { end } = store
  files.crash()
  expect((await open('second')).end).toBe(end)
})

test('so are those that a killed process has written: a machine that stayed up has lost no sector', async () => {
  const { clock, files, open, store } = await machineWithStore()
  store.append(message(zeros))
  store.append(message('KEY\u0001value\u0002'))
  await clock.settle()
  const { end } = store
  expect(store.flushed.at).toBeLessThan(end)
  files.kill()
  expect((await open('first')).end).toBe(end)
})

test('the last record of a killed process whose properties have no end is a torn tail; one in the middle is what a client has sent', async () => {
  const { clock, files, open, store } = await machineWithStore()
  store.append(message('KEY\u0001odd\u0000'))
  const record = store.append(message('KEY\u0001value value\u0002'))
  await clock.settle()
  files.corrupt(LOG, record.end - 3, Buffer.alloc(3))
  files.kill()
  const { end, recovery } = await open('first')
  expect(end).toBe(record.offset)
  expect(recovery.truncatedBytes).toBeGreaterThan(0)
})

test('a record may end with its segment', async () => {
  const clock = new SimulatedClock()
  const files = new SimulatedFiles({ clock, random: new SeededRandom(1) }).mount()
  files.makeDirectory('/log')
  const fields = {
    ...message(''),
    version: 1 as const,
    queueOffset: 0,
    physicalOffset: 0,
    storeTimestamp: 2,
    storeHost,
  }
  const segmentBytes = recordSize(fields)
  for (const physicalOffset of [0, segmentBytes]) {
    const bytes = Buffer.alloc(segmentBytes)
    encodeRecord(bytes, 0, { ...fields, physicalOffset })
    const file = files.open(`/log/${String(physicalOffset).padStart(20, '0')}`, 'create')
    file.write(bytes, 0)
    file.close()
  }
  const reader = SegmentReader.open(files, '/log', { recordBytesMax: 1000, segmentBytes })
  const found: number[] = []
  const trust = { synced: 0, pagesMayBeLost: true }
  const scan = scanLog(reader, 0, trust, new PropertyChecksums(false), {
    record: ({ physicalOffset }) => found.push(physicalOffset),
    pause: () => undefined,
  })
  expect(await clock.outcome(scan)).toMatchObject({ end: 2 * segmentBytes, stop: 'end-of-files' })
  expect(found).toEqual([0, segmentBytes])
})
