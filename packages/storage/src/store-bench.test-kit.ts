import { silentMeter, type Files } from '@tandemmq/base'
import { encodeProperties } from '@tandemmq/codec'
import { RecordingLogger, SeededRandom, SimulatedClock, SimulatedFiles, type Span } from '@tandemmq/testkit'
import { CountedCrash } from './counted-crash.test-kit.ts'
import { MessageStore, type MessageToAppend, type StoreOptions } from './index.ts'

/** A machine with a store on its simulated disk; segments are small, so that every boundary is met. */
export class StoreBench {
  readonly clock = new SimulatedClock()
  readonly logger = new RecordingLogger()
  readonly random: SeededRandom
  readonly disk: SimulatedFiles
  readonly options: Partial<StoreOptions>
  #boot = 1

  /** @param syncMs how long the disk takes to sync */
  constructor(options: Partial<StoreOptions> = {}, seed = 1, syncMs: Span = { min: 1, max: 3 }) {
    this.random = new SeededRandom(seed)
    this.disk = new SimulatedFiles({ clock: this.clock, random: this.random.fork(), syncMs })
    this.options = options
  }

  /** Opens without waiting for the outcome; `files`: what the process sees of the disk. */
  opening(options: Partial<StoreOptions> = {}, files: Files = this.disk.mount()): Promise<MessageStore> {
    const complete = {
      root: '/data/store',
      storeHost: { ip: '127.0.0.1', port: 10911 },
      bootId: `boot-${this.#boot}`,
      segmentBytes: 4096,
      consumeQueueFileBytes: 100,
      preZeroBytes: 1024,
      maxMessageBytes: 2048,
      ...this.options,
      ...options,
    }
    const { clock, random, logger } = this
    return MessageStore.open(complete, { files, clock, random, logger, meter: silentMeter })
  }

  open(options: Partial<StoreOptions> = {}): Promise<MessageStore> {
    return this.clock.outcome(this.opening(options))
  }

  /** Opened and made writable, as a master does it. */
  async openMaster(options: Partial<StoreOptions> = {}): Promise<MessageStore> {
    const store = await this.open(options)
    if (store.lineage === undefined) await this.clock.outcome(store.createLineage())
    await this.clock.outcome(store.openEpoch())
    return store
  }

  /** Everything appended is dispatched. */
  async dispatched(store: MessageStore): Promise<void> {
    await this.clock.outcome(store.dispatched.reached(store.end))
  }

  cutPower(): void {
    this.disk.crash()
    this.#boot += 1
  }

  kill(): void {
    this.disk.kill()
  }

  /** The disk of a process that is killed, or loses its power with the machine, right before its n-th call. Calls count only while `isArmed`. */
  dying(how: 'kill' | 'power', crashAt: number, isArmed: () => boolean = () => true): CountedCrash {
    return new CountedCrash(this.disk.mount(), isArmed, crashAt, () =>
      how === 'kill' ? this.kill() : this.cutPower(),
    )
  }

  /** Runs `task` on a disk that is {@link dying}, until that is dead or the task over. True: it came to the crash; what failed after it is no finding. */
  async untilCrash(
    how: 'kill' | 'power',
    crashAt: number,
    task: (files: Files) => Promise<void>,
  ): Promise<boolean> {
    const dying = this.dying(how, crashAt)
    let ended = false
    const run = task(dying.files).then(
      () => (ended = true),
      (failure: unknown) => {
        ended = true
        if (!dying.crashed) throw failure
      },
    )
    run.catch(() => {})
    await this.clock.runUntil(() => dying.crashed || ended)
    if (ended) await run
    return dying.crashed
  }
}

export function message(body: string, topic = 'orders', queueId = 0): MessageToAppend {
  return {
    topic,
    queueId,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: { ip: '10.0.0.1', port: 4000 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(body),
    properties: encodeProperties([['TAGS', 'TagA']]),
  }
}

/** Bodies of a queue's messages by queue offset from its minimum on; `-` where a position has none. */
export function bodies(store: MessageStore, topic = 'orders', queueId = 0): string[] {
  const queue = store.queue(topic, queueId)
  const found: string[] = []
  for (let at = queue?.minOffset ?? 0; at < (queue?.maxOffset ?? 0); at += 1) {
    const unit = queue?.unit(at)
    found.push(unit === undefined ? '-' : store.record(unit.offset, unit.size).body.toString())
  }
  return found
}

/** All bytes of the log. */
export function logBytes(store: MessageStore): Buffer {
  const pieces: Buffer[] = []
  for (let at = store.minOffset; at < store.end;) {
    const piece = store.read(at, store.end - at)
    pieces.push(piece)
    at += piece.length
  }
  return Buffer.concat(pieces)
}
