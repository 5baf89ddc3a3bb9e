import {
  messageOf,
  type Clock,
  type Counter,
  type Files,
  type LogOffset,
  type Logger,
  type Meter,
  type Timer,
} from '@tandemmq/base'
import { spaceOf } from './disk-space.ts'
import type { MessageStore } from './message-store.ts'
import {
  planRound,
  usedRatio,
  type DiskLevel,
  type Hold,
  type RetentionRules,
  type RoundPlan,
} from './retention-rules.ts'

export interface RetentionPorts {
  readonly files: Files
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
}

/** Rounds after which the first one comes: a start has other things to do. */
const FIRST_ROUND = 6

/**
 * Lets the oldest segments of a log expire, in rounds. A segment is as old as the record behind it: the first one of the next segment, whose store
 * time is no earlier than any in the segment. Apache asks for the file's last change; that is lost when a store is copied or brought back, and a
 * slave that has copied an old log would keep it for as long again.
 */
export class Retention {
  readonly #rules: RetentionRules
  readonly #store: MessageStore
  readonly #ports: RetentionPorts
  readonly #root: string
  readonly #hold: (level: DiskLevel) => Hold | undefined
  readonly #removed: Counter
  #timer: Timer | undefined
  #round: Promise<void> = Promise.resolve()
  #stopped = false
  #heldAt: LogOffset | undefined

  /** `hold`: up to where others still need the log, asked before each removal. Runs until {@link stop}. */
  constructor(
    rules: RetentionRules,
    store: MessageStore,
    root: string,
    ports: RetentionPorts,
    hold: (level: DiskLevel) => Hold | undefined,
  ) {
    this.#rules = rules
    this.#store = store
    this.#root = root
    this.#ports = ports
    this.#hold = hold
    const { meter } = ports
    this.#removed = meter.counter(
      'rocketmq_ha_expired_segments_total',
      'Files of the commit log that were removed: because of their age, or because the disk was full.',
      ['why'],
    )
    meter.observe(
      'rocketmq_ha_disk_used_ratio',
      'Share of the disk of the store that is in use, 0 to 1.',
      [],
      () => {
        const disk = spaceOf(ports.files, root)
        return disk === undefined ? [] : [{ value: usedRatio(disk) }]
      },
    )
    this.#again(rules.intervalMs * FIRST_ROUND)
  }

  /** Resolves when no file is removed any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#round
  }

  #again(afterMs: number): void {
    if (this.#stopped) return
    this.#timer = this.#ports.clock.after(afterMs, () => {
      this.#round = this.#run()
    })
  }

  async #run(): Promise<void> {
    const { clock, files, logger } = this.#ports
    try {
      const plan = planRound(this.#rules, { now: clock.now(), disk: files.space(this.#root) })
      if (plan.remove !== 'nothing') await this.#remove(plan)
    } catch (failure) {
      logger.warn(
        { why: messageOf(failure) },
        'old files of the commit log could not be removed; trying again',
      )
    }
    this.#again(this.#rules.intervalMs)
  }

  async #remove(plan: RoundPlan): Promise<void> {
    for (let count = 0; count < this.#rules.batchMax && !this.#stopped; count += 1) {
      if (count > 0) await this.#pause()
      const begin = this.#store.minOffset
      const end = begin + this.#store.segmentBytes
      const age = this.#ageOf(end)
      if (age === undefined || (plan.remove === 'expired' && age < this.#rules.reservedMs)) return
      const hold = this.#hold(plan.level)
      if (hold !== undefined && hold.from < end) return this.#sayHeld(hold, begin)
      const isOld = age >= this.#rules.reservedMs
      if ((await this.#store.expire(end)) === 0) return
      this.#removed.add(1, { why: isOld ? 'age' : 'disk' })
      this.#say(begin, end, age, isOld)
    }
  }

  /** How long ago the segment that ends at `end` got its last record, at most, ms; `undefined`: it is the newest. */
  #ageOf(end: LogOffset): number | undefined {
    const store = this.#store
    if (store.dispatched.at <= end) return undefined
    return this.#ports.clock.now() - store.record(end).storeTimestamp
  }

  #say(begin: LogOffset, end: LogOffset, ageMs: number, isOld: boolean): void {
    const facts = { offset: begin, end, ageMs }
    if (isOld) this.#ports.logger.info(facts, 'a file of the commit log has expired and was removed')
    else {
      this.#ports.logger.warn(
        facts,
        'the disk is nearly full: a file of the commit log was removed before its time, whether or not its messages were consumed',
      )
    }
  }

  /** Once for each place. */
  #sayHeld({ from, words }: Hold, begin: LogOffset): void {
    if (this.#heldAt === from) return
    this.#heldAt = from
    this.#ports.logger.warn(
      { offset: begin, heldFrom: from },
      `files of the commit log are kept beyond their time: ${words}`,
    )
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#ports.clock.after(this.#rules.pauseMs, resolve)
    })
  }
}
