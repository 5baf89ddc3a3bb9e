import { BrokerError, type ErrorCode } from '@tandemmq/base'
import { crc32m } from '@tandemmq/codec'
import type { MessageStore } from '@tandemmq/storage'
import { claim } from '../engine/claim.ts'
import { checkedRefusal } from '../engine/refusal.ts'
import type { Target, Verdict } from '../target.ts'
import { DiskWorld, type FileMap } from '../worlds/disk-world.ts'
import { SEGMENT_BYTES, messageTo, openStore, storeTemplate } from '../worlds/store-world.ts'

const REFUSALS: readonly ErrorCode[] = [
  'LOG_CORRUPT',
  'STATE_FILE_CORRUPT',
  'STORE_FOREIGN',
  'DISK_FULL',
  'UNAVAILABLE',
]

let template: Promise<FileMap> | undefined

/** A store's directory in which one file is replaced: which one says the first byte, by what the rest. */
export const storeFiles: Target = {
  name: 'store-files',
  holds:
    'opening is refused with a typed error, or gives a store whose positions are in order, whose queues point at records or are refused, which takes a message, and which opens again with the same end',
  allocation: { baseBytes: 256 * 1024 * 1024, perInputByte: 64 },
  isCostly: true,
  async run(input) {
    template ??= storeTemplate()
    const files = await template
    const path = [...files.keys()][(input[0] ?? 0) % files.size] ?? ''
    const content = input.subarray(1, 1 + 4 * SEGMENT_BYTES)
    const verdict = await open(new Map([...files, [path, content]]))
    const sealed = sealedText(content)
    if (sealed !== undefined) await open(new Map([...files, [path, sealed]]))
    return verdict
  },
}

async function open(files: FileMap): Promise<Verdict> {
  const world = new DiskWorld(files)
  const store = await refusedOr(() => openStore(world))
  if (store === undefined) return 'refused'
  const verdict = await use(world, store)
  const { end } = store
  await world.clock.outcome(store.close())
  const again = await refusedOr(() => openStore(world))
  claim(again !== undefined, 'what was opened and closed opens again')
  claim(again.end === end, `the log ended at ${end}, and then at ${again.end}`)
  await world.clock.outcome(again.close())
  return verdict
}

/** One of our own state files (a title, a checksum, JSON) with the right checksum. */
function sealedText(content: Buffer): Buffer | undefined {
  const [title = '', , ...rest] = content.toString('utf8').split('\n')
  if (!title.startsWith('TandemMQ ')) return undefined
  const json = rest.join('\n')
  return Buffer.from(`${title}\n${crc32m(json)}\n${json}`)
}

async function use(world: DiskWorld, store: MessageStore): Promise<Verdict> {
  await world.clock.advance(100)
  const positions = [store.minOffset, store.flushed.at, store.written.at, store.end]
  claim(
    positions.every((position, index) => position >= (positions[index - 1] ?? 0)),
    `positions ${positions.join()}`,
  )
  let messages = 0
  for (const queue of store.queueOffsets()) {
    claim(queue.minOffset <= queue.maxOffset, `a queue from ${queue.minOffset} to ${queue.maxOffset}`)
    const { minOffset } = queue
    for (const [index, unit] of queue.units(minOffset, 64).entries()) {
      if (unit === undefined || unit.offset < store.minOffset) continue
      if (attemptRecord(store, unit.offset, unit.size, minOffset + index)) messages += 1
    }
  }
  try {
    if (store.lineage === undefined) await world.clock.outcome(store.createLineage())
    await world.clock.outcome(store.openEpoch())
    const { end } = store.append(messageTo('Orders', 'one more'))
    await world.clock.outcome(store.flush(end))
  } catch (error) {
    checkedRefusal([...REFUSALS, 'NOT_WRITABLE', 'LOG_FENCED', 'LOG_CLOSED'], error)
  }
  return messages > 0 ? 'taken' : 'refused'
}

function attemptRecord(store: MessageStore, offset: number, size: number, queueOffset: number): boolean {
  try {
    store.record(offset, size, queueOffset)
    return true
  } catch (error) {
    checkedRefusal(['LOG_CORRUPT', 'ILLEGAL_ARGUMENT'], error)
    return false
  }
}

async function refusedOr<T>(opening: () => Promise<T>): Promise<T | undefined> {
  try {
    return await opening()
  } catch (error) {
    if (error instanceof BrokerError) checkedRefusal(REFUSALS, error)
    else throw error
    return undefined
  }
}
