import { propertyOf } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import type { MessageStore, MessageToAppend } from './index.ts'
import { lightPlacesOf } from './light-queues.ts'
import { StoreBench, bodies, logBytes, message } from './store-bench.test-kit.ts'

function asking(body: string, names: string, more = ''): MessageToAppend {
  return { ...message(body), properties: `TAGS\u0001T\u0002INNER_MULTI_DISPATCH\u0001${names}${more}` }
}

function placesOf(store: MessageStore, offset: number): string | undefined {
  return propertyOf(store.record(offset).properties, 'INNER_MULTI_QUEUE_OFFSET')
}

describe('a message that names light queues', () => {
  test('gets a place in each, across restarts, and the places are in its properties', async () => {
    const bench = new StoreBench({ lightQueues: true })
    const store = await bench.openMaster()
    store.append(message('none'))
    const both = store.append(asking('both', '%LMQ%a,%LMQ%b'))
    const one = store.append(asking('one', '%LMQ%b', '\u0002INNER_MULTI_QUEUE_OFFSET\u0001999\u0002'))
    expect([placesOf(store, both.offset), placesOf(store, one.offset)]).toEqual(['0,0', '1'])
    await bench.dispatched(store)
    expect(bodies(store)).toEqual(['none', 'both', 'one'])
    bench.kill()
    const again = await bench.openMaster()
    expect(placesOf(again, again.append(asking('later', '%LMQ%a')).offset)).toBe('1')
    await bench.dispatched(again)
    expect(bodies(again, '%LMQ%a')).toEqual(['both', 'later'])
    expect(bodies(again, '%LMQ%b')).toEqual(['both', 'one'])
    const slaveBench = new StoreBench()
    const slave = await slaveBench.open()
    slave.appendRaw(0, logBytes(again))
    await slaveBench.dispatched(slave)
    expect(bodies(slave, '%LMQ%b')).toEqual(['both', 'one'])
  })

  test('uses no place where it is not stored', async () => {
    const bench = new StoreBench({ lightQueues: true })
    const store = await bench.openMaster()
    const illegal = expect.objectContaining({ code: 'MESSAGE_ILLEGAL' })
    for (const names of ['plain', '%LMQ%a,other', '%LMQ%a/b', '%LMQ%a,%LMQ%a'])
      expect(() => store.append(asking('bad', names))).toThrow(illegal)
    expect(() => store.append({ ...asking('bad', '%LMQ%a'), flag: 2 ** 40 })).toThrow(illegal)
    const { offset } = store.append(asking('good', '%LMQ%a'))
    expect(placesOf(store, offset)).toBe('0')
  })

  test('gets none where that is not switched on, whatever it says itself', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    const places = 'INNER_MULTI_QUEUE_OFFSET\u00015\u0002'
    const { offset } = store.append(asking('x', '%LMQ%a', `\u0002${places}`))
    expect(placesOf(store, offset)).toBeUndefined()
    await bench.dispatched(store)
    expect([...store.queueOffsets()].map(({ topic }) => topic)).toEqual(['orders'])
  })
})

test.each([
  ['orders', '%LMQ%a,%LMQ%b', '3,4', ['%LMQ%a 3', '%LMQ%b 4']],
  ['orders', '%LMQ%a,plain,%LMQ%../x,%LMQ%c', '1,2,3,4', ['%LMQ%a 1', '%LMQ%c 4']],
  ['orders', '%LMQ%a,%LMQ%b', '3', []],
  ['orders', '%LMQ%a', '-1', []],
  ['orders', '%LMQ%a', '99999999999999999999', []],
  ['%RETRY%group', '%LMQ%a', '3', []],
  ['rmq_sys_x', '%LMQ%a', '3', []],
  ['SCHEDULE_TOPIC_XXXX', '%LMQ%a', '3', []],
])('a record of %s that names %s at %s has the places %s', (topic, names, offsets, places) => {
  const properties = `INNER_MULTI_DISPATCH\u0001${names}\u0002INNER_MULTI_QUEUE_OFFSET\u0001${offsets}\u0002`
  const found = lightPlacesOf(topic, properties)
  expect(found.map((place) => `${place.topic} ${place.queueOffset}`)).toEqual(places)
})
