import { UNIT_BYTES } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import type { MessageStore } from './index.ts'
import { StoreBench, message } from './store-bench.test-kit.ts'

const root = '/data/store'
const EXT_FILE_BYTES = 100
/** Of each unit here; four of them fill a file. */
const EXT_BYTES = 25

function nameOf(start: number): string {
  return String(start).padStart(20, '0')
}

/**
 * A store whose queue `orders` has 40 messages, ten in a file of the log. As an Apache with `enableConsumeQueueExt` leaves it, units of messages with
 * `isExtended` hold addresses.
 */
async function extended(
  bench: StoreBench,
  isExtended: (queueOffset: number) => boolean,
): Promise<MessageStore> {
  const store = await bench.openMaster()
  for (let n = 0; n < 40; n += 1) store.append(message(`${n} ${'x'.repeat(280)}`))
  await bench.clock.outcome(store.close())
  for (const name of ['queueEnds', 'queueEnds.bak']) bench.disk.remove(`${root}/${name}`)
  for (let n = 0; n < 40; n += 1) {
    if (!isExtended(n)) continue
    const at = n * UNIT_BYTES
    const file = bench.disk.open(`${root}/consumequeue/orders/0/${nameOf(at - (at % 100))}`, 'read-write')
    const tagsCode = Buffer.alloc(8)
    tagsCode.writeBigInt64BE(BigInt(n * EXT_BYTES) - 2n ** 63n)
    file.write(tagsCode, (at % 100) + 12)
    file.close()
  }
  bench.disk.makeDirectory(`${root}/consumequeue_ext/orders/0`)
  for (let start = 0; start < 40 * EXT_BYTES; start += EXT_FILE_BYTES)
    bench.disk.open(`${root}/consumequeue_ext/orders/0/${nameOf(start)}`, 'create').close()
  const again = await bench.openMaster()
  await bench.clock.advance(10_000)
  return again
}

function extensionFiles(bench: StoreBench): readonly string[] {
  return bench.disk.list(`${root}/consumequeue_ext/orders/0`)
}

describe('extension units of a queue', () => {
  test('go with the messages that lead to them, a file at a time', async () => {
    const bench = new StoreBench()
    const store = await extended(bench, () => true)
    expect(extensionFiles(bench)).toHaveLength(10)
    await bench.clock.outcome(store.expire(4096))
    const { minOffset = 0 } = store.queue('orders', 0) ?? {}
    expect(minOffset).toBe(10)
    expect(extensionFiles(bench)[0]).toBe(nameOf(200))
    await bench.clock.outcome(store.expire(2 * 4096))
    expect(extensionFiles(bench)[0]).toBe(nameOf(500))
    bench.kill()
    const again = await bench.open()
    expect(again.queue('orders', 0)?.minOffset).toBe(20)
  })

  test('stay as long as a message behind many without one leads to them', async () => {
    const bench = new StoreBench()
    const store = await extended(bench, (n) => n < 3 || n >= 32)
    await bench.clock.outcome(store.expire(4096))
    expect(extensionFiles(bench)[0]).toBe(nameOf(800))
  })

  test('go but for the last file where no message has one any more', async () => {
    const bench = new StoreBench()
    const store = await extended(bench, (n) => n < 10)
    await bench.clock.outcome(store.expire(4096))
    expect(extensionFiles(bench)).toEqual([nameOf(900)])
  })
})
