import { join } from 'node:path'
import type { TlsFiles } from '@tandemmq/platform-node'
import { Samples } from '../storage/measure.ts'
import { Member } from './member.ts'
import type { SendOrder } from './send-many.ts'

export interface ModeFigures {
  readonly messagesPerSecond: number
  readonly messagesPerSecondRange: readonly [number, number]
  /** Of the time until the slave had all of them too: answers that are given before come out of this. */
  readonly copiedPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicrosPerMessage: { readonly master: number; readonly slave: number }
}

/** Rounds of one kind, and what came out of those that count. */
export class MeasuredSends {
  readonly #pair: MeasuredPair
  readonly #order: SendOrder
  readonly #rate = new Samples()
  readonly #copied = new Samples()
  readonly #p50 = new Samples()
  readonly #p99 = new Samples()
  readonly #masterCpu = new Samples()
  readonly #slaveCpu = new Samples()

  constructor(pair: MeasuredPair, order: SendOrder) {
    this.#pair = pair
    this.#order = order
  }

  readonly round = async (isCounted: boolean): Promise<void> => {
    const { master, slave } = this.#pair
    const { count } = this.#order
    const before = [await master.cpuUs(), await slave.cpuUs()] as const
    const began = performance.now()
    const { seconds, p50Ms, p99Ms, end } = await master.send(this.#order)
    await slave.reach(end)
    const copiedMs = performance.now() - began
    if (!isCounted) return
    this.#rate.add(count / seconds)
    this.#copied.add((count * 1_000) / copiedMs)
    this.#p50.add(p50Ms)
    this.#p99.add(p99Ms)
    this.#masterCpu.add(((await master.cpuUs()) - before[0]) / count)
    this.#slaveCpu.add(((await slave.cpuUs()) - before[1]) / count)
  }

  /** Messages per second, by round. */
  get rates(): readonly number[] {
    return this.#rate.values
  }

  get figures(): ModeFigures {
    return {
      messagesPerSecond: this.#rate.median,
      messagesPerSecondRange: this.#rate.range,
      copiedPerSecond: this.#copied.median,
      p50Ms: this.#p50.median,
      p99Ms: this.#p99.median,
      cpuMicrosPerMessage: { master: this.#masterCpu.median, slave: this.#slaveCpu.median },
    }
  }
}

/** A master and its slave, each a process. */
export class MeasuredPair {
  readonly master: Member
  readonly slave: Member

  private constructor(master: Member, slave: Member) {
    this.master = master
    this.slave = slave
  }

  static async start(
    directory: string,
    mode: 'sync' | 'async',
    opened: AsyncDisposableStack,
    tls?: TlsFiles,
  ): Promise<MeasuredPair> {
    const root = (name: string): string => join(directory, tls === undefined ? mode : `${mode}-tls`, name)
    const asked = { replication: mode, haPort: 0, ...(tls === undefined ? {} : { tls }) }
    const { member, haPort } = await Member.start({ ...asked, role: 'master', root: root('master') })
    const master = opened.use(member)
    const slave = await Member.start({ ...asked, role: 'slave', root: root('slave'), haPort })
    opened.use(slave.member)
    await master.untilInSync()
    return new MeasuredPair(master, slave.member)
  }
}
