import { readWhole, silentLogger, silentMeter, type Files } from '@tandemmq/base'
import { encodeProperties } from '@tandemmq/codec'
import { MessageStore, type MessageToAppend } from '@tandemmq/storage'
import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'

/** Small files, so that every boundary is met soon; intervals, so that a step can wait for one of them alone. */
const OPTIONS = {
  root: '/data/store',
  storeHost: { ip: '127.0.0.1', port: 10911 },
  segmentBytes: 4096,
  consumeQueueFileBytes: 80,
  maxMessageBytes: 2048,
  preZeroBytes: 0,
  tailBytes: 16_384,
  flushIntervalMs: 50_000,
  positionIntervalMs: 100,
  queueSyncIntervalMs: 5000,
  index: { slots: 7, entries: 6 },
}

/** Later than any step, so that one step alone makes it happen. */
export const QUEUE_SYNC_MS = OPTIONS.queueSyncIntervalMs
export const POSITION_MS = OPTIONS.positionIntervalMs
export const SEGMENT_BYTES = OPTIONS.segmentBytes
export const SCAN_LIMITS = {
  recordBytesMax: OPTIONS.maxMessageBytes + 65536,
  segmentBytes: OPTIONS.segmentBytes,
}

/** A machine with one simulated disk, in one of its lives: a boot of the machine, or one process after another of it. */
export class Machine {
  readonly clock = new SimulatedClock()
  readonly random = new SeededRandom(1)
  readonly disk: SimulatedFiles
  readonly bootId: string

  /** `boot`: another one after each power cut. `before`: the disk as an earlier life left it. */
  constructor(boot: string, before?: SimulatedFiles) {
    this.bootId = boot
    const options = { clock: this.clock, random: this.random, syncMs: { min: 1, max: 1 } }
    this.disk = before?.fork(options) ?? new SimulatedFiles(options)
  }

  /** Opens the store. `files`: what the process sees of the disk. */
  open(files: Files = this.disk.mount()): Promise<MessageStore> {
    const { clock, random, bootId } = this
    return clock.outcome(
      MessageStore.open(
        { ...OPTIONS, bootId },
        { files, clock, random, logger: silentLogger, meter: silentMeter },
      ),
    )
  }

  /** The disk as it is now, independent of this machine. */
  fork(): SimulatedFiles {
    return this.disk.fork({ clock: this.clock, random: this.random })
  }

  /** Makes the process the log's writer. */
  async write(store: MessageStore): Promise<void> {
    if (store.lineage === undefined) await this.clock.outcome(store.createLineage())
    await this.clock.outcome(store.openEpoch())
  }
}

/** A boot that the store on `disk` knows nothing of. Few names, so that equal states of a disk are equal. */
export function nextBoot(disk: SimulatedFiles): string {
  const known = ['position', 'position.bak'].map((name) => textOf(disk, `${OPTIONS.root}/${name}`)).join()
  for (let number = 1; ; number += 1) if (!known.includes(`"boot-${number}"`)) return `boot-${number}`
}

function textOf(disk: SimulatedFiles, path: string): string {
  return disk.exists(path) ? readWhole(disk, path).toString('latin1') : ''
}

/** What a record of version 1 is longer than its body, its topic and its properties. */
const RECORD_OVERHEAD_BYTES = 91

/** Messages spread over two queues; each is found by a key of its own. Its record is `recordBytes` long. */
export function messageOf(number: number, recordBytes: number): MessageToAppend {
  const topic = topicOf(number)
  const properties = encodeProperties([
    ['TAGS', 'TagA'],
    ['KEYS', keyOf(number)],
  ])
  const bodyBytes = recordBytes - RECORD_OVERHEAD_BYTES - topic.length - Buffer.byteLength(properties)
  return {
    topic,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: { ip: '10.0.0.1', port: 4000 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(bodyOf(number, bodyBytes)),
    properties,
  }
}

export function bodyOf(number: number, bytes: number): string {
  return String(number).padEnd(bytes, '.')
}

export function numberOf(body: string): number {
  return Number.parseInt(body, 10)
}

/** Numbers of messages that no step has sent, but who goes on after a crash. */
export const EXTRA_FROM = 10_000

export function topicOf(number: number): string {
  return number % 3 === 0 ? 'payments' : 'orders'
}

export function keyOf(number: number): string {
  return `key-${number}`
}
