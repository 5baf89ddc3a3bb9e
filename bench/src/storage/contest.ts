import { Samples, costOf, inTurns, rounded, type Cost } from './measure.ts'

/** Rounds that nobody counts, until code is compiled and files are there. */
const WARM_UPS = 2

/** The same work, done in turns by our store, by the floor, and by genuine Apache's store where that is there. */
export interface Contest {
  /** Messages of one round. */
  readonly count: number
  readonly ours: () => Promise<void> | void
  readonly floor: () => Promise<void> | void
  readonly apache?: (() => Promise<Cost>) | undefined
}

/** Medians over `rounds`, per message, with their ranges. */
export async function contestFigures(rounds: number, contest: Contest): Promise<Record<string, unknown>> {
  const { count } = contest
  const ours = new PerMessage(count)
  const floor = new PerMessage(count)
  const apache = new PerMessage(count)
  const theirs = contest.apache
  await inTurns(rounds, WARM_UPS, [
    async (isCounted) => floor.add(await costOf(contest.floor), isCounted),
    async (isCounted) => ours.add(await costOf(contest.ours), isCounted),
    ...(theirs ? [async (isCounted: boolean) => apache.add(await theirs(), isCounted)] : []),
  ])
  return {
    messagesPerSecond: ours.perSecond.median,
    cpuUsPerMessage: ours.cpuUs.median,
    cpuUsPerMessageRange: ours.cpuUs.range,
    floorCpuUsPerMessage: floor.cpuUs.median,
    floorCpuUsPerMessageRange: floor.cpuUs.range,
    cpuToFloor: rounded(ours.cpuUs.median / floor.cpuUs.median),
    ...(theirs && {
      apacheMessagesPerSecond: apache.perSecond.median,
      apacheCpuUsPerMessage: apache.cpuUs.median,
      apacheCpuUsPerMessageRange: apache.cpuUs.range,
      cpuToApache: rounded(ours.cpuUs.median / apache.cpuUs.median),
    }),
  }
}

class PerMessage {
  readonly cpuUs = new Samples()
  readonly perSecond = new Samples()
  readonly #count: number

  constructor(count: number) {
    this.#count = count
  }

  add({ cpuUs, wallUs }: Cost, isCounted: boolean): void {
    if (!isCounted) return
    this.cpuUs.add(cpuUs / this.#count)
    this.perSecond.add(this.#count / (wallUs / 1e6))
  }
}
