import { messageOf as wordsOf } from '@tandemmq/base'
import { WatchedFiles, type SimulatedFiles } from '@tandemmq/testkit'
import { BrokenPromise } from './broken-promise.ts'
import { inspect, type Found } from './found.ts'
import { demandLeft, goOn, type GoneOn } from './going-on.ts'
import { Images } from './images.ts'
import { Machine, nextBoot } from './machine.ts'
import { outcomesOf } from './outcomes.ts'

/** A state of the disk that a crash has left, and what starts make of it. */
export interface Recovery {
  /** For people: the first crash that has left it. */
  readonly where: string
  /** Crashes during recoveries that have led to it, at least. */
  level: number
  /** What the store shows after the start; `undefined` before that. */
  outcome: Outcome | undefined
  /** What power cuts during this recovery leave. Empty as long as it has not died. */
  afterPowerCuts: readonly Recovery[]
  /** What SIGKILLs during this recovery leave. */
  afterKills: readonly Recovery[]
  /** All that this and the next starts may show, however often they die; `undefined` as long as nobody has asked. */
  outcomes: ReadonlySet<Outcome> | undefined
}

/** What a start has shown; or why it is broken. */
export type Outcome = Found | Broken

/** Not even what was asked of the store could be looked at, or it contradicts itself. */
export class Broken {
  readonly words: string

  constructor(words: string) {
    this.words = words
  }
}

export interface RecoveryOptions {
  /** Of the states that crashes of steps have left, the recovery of every so-manieth is killed, and cut off, at each of its own boundaries. */
  readonly dieEvery: number
  /** Of the others, which crashes during recoveries have left, every so-manieth. */
  readonly dieAgainEvery: number
  /** Of those that crashes of steps have left, every so-manieth is used on after its recovery, and loses power again. Of the others a tenth of that. */
  readonly goOnEvery: number
}

type Occasion = 'die' | 'die again' | 'go on' | 'go on again'

interface Work {
  readonly recovery: Recovery
  readonly disk: SimulatedFiles
  readonly boot: string
}

/** The disk at a boundary of who went on after a recovery. */
interface LaterBoundary {
  readonly disk: SimulatedFiles
  readonly isFlushed: boolean
}

/** A state that a crash has left after somebody had gone on. */
interface Later {
  readonly recovery: Recovery
  readonly goneOn: GoneOn
  readonly isFlushed: boolean
}

/** Every state of a disk is recovered once, whichever crash has left it, and of which sequence. */
export class Recoveries {
  /** Boundaries of recoveries, times what crashes there may leave. */
  crashes = 0
  readonly #options: RecoveryOptions
  readonly #known = new Map<string, Recovery>()
  #todo: Work[] = []
  #later: Later[] = []
  #level = 0
  readonly #counts = new Map<Occasion, number>()

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** How many states there were, all different. */
  get count(): number {
    return this.#known.size
  }

  /** The machine starts again after a power cut has left `disk`. */
  afterPowerCut(disk: SimulatedFiles, where: string): Recovery {
    return this.#of(disk.fingerprint(), disk, undefined, where)
  }

  /** The process starts again after a SIGKILL; the machine goes on, and so does its `boot`. */
  afterKill(disk: SimulatedFiles, boot: string, where: string): Recovery {
    return this.#of(`${boot} ${disk.fingerprint()}`, disk, boot, where)
  }

  #of(name: string, disk: SimulatedFiles, boot: string | undefined, where: string): Recovery {
    const known = this.#known.get(name)
    if (known !== undefined && known.level <= this.#level) return known
    const level = this.#level
    const recovery = known ?? {
      where,
      level,
      outcome: undefined,
      afterPowerCuts: [],
      afterKills: [],
      outcomes: undefined,
    }
    recovery.level = level
    this.#known.set(name, recovery)
    this.#todo.push({ recovery, disk, boot: boot ?? nextBoot(disk) })
    return recovery
  }

  /** Starts what there is to start. */
  async run(): Promise<void> {
    for (let work = this.#todo.pop(); work !== undefined; work = this.#todo.pop()) {
      this.#level = work.recovery.level + 1
      work.recovery.outcome = await this.#start(work)
    }
    this.#level = 0
  }

  async #start({ recovery, disk, boot }: Work): Promise<Outcome> {
    const machine = new Machine(boot, disk)
    const { dieEvery, dieAgainEvery, goOnEvery } = this.#options
    const isFirst = recovery.level === 0
    const dies = isFirst ? this.#isDue('die', dieEvery) : this.#isDue('die again', dieAgainEvery)
    const goesOn = isFirst ? this.#isDue('go on', goOnEvery) : this.#isDue('go on again', 10 * goOnEvery)
    let note: (() => void) | undefined
    const disks: SimulatedFiles[] = []
    if (dies) note = () => disks.push(machine.fork())
    try {
      const store = await machine.open(new WatchedFiles(machine.disk.mount(), () => note?.()))
      if (dies) this.#die(recovery, disks, boot)
      note = undefined
      const found = await inspect(machine, store)
      if (!goesOn) return found
      const boundaries: LaterBoundary[] = []
      if (dies) note = () => boundaries.push({ disk: machine.fork(), isFlushed: false })
      const goneOn = await goOn(machine, store, found, () => {
        if (dies) boundaries.push({ disk: machine.fork(), isFlushed: true })
        note = undefined
      })
      this.#dieLater(recovery, boundaries, goneOn)
      return found
    } catch (failure) {
      const kind = failure instanceof BrokenPromise ? '' : 'threw: '
      return new Broken(`${recovery.where}: ${kind}${wordsOf(failure)}`)
    }
  }

  #die(recovery: Recovery, disks: readonly SimulatedFiles[], boot: string): void {
    const images = new Images(this)
    const cut = new Set<Recovery>()
    const killed = new Set<Recovery>()
    for (const [boundary, disk] of disks.entries()) {
      const where = `${recovery.where}; recovery: boundary ${boundary}`
      killed.add(this.afterKill(disk, boot, `${where}, a kill`))
      for (const left of images.ofPowerCuts(disk, where)) cut.add(left)
    }
    recovery.afterPowerCuts = [...cut]
    recovery.afterKills = [...killed]
    // It may have been asked before, when it had not died.
    recovery.outcomes = undefined
    this.crashes += disks.length + images.cuts
  }

  /** Who went on after the recovery dies at each of its boundaries. */
  #dieLater(recovery: Recovery, boundaries: readonly LaterBoundary[], goneOn: GoneOn): void {
    const images = new Images(this)
    for (const [index, { disk, isFlushed }] of boundaries.entries()) {
      const left = images.ofPowerCuts(disk, `${recovery.where}; going on: boundary ${index}`)
      this.#later.push(...left.map((next) => ({ recovery: next, goneOn, isFlushed })))
    }
    this.crashes += images.cuts
  }

  /** What is broken of the promises that starts have made by what they showed, in words. Once {@link run} is done; each is told once. */
  brokenLater(): readonly string[] {
    const broken = new Set<string>()
    for (const { recovery, goneOn, isFlushed } of this.#later) {
      for (const outcome of outcomesOf(recovery)) {
        try {
          if (outcome instanceof Broken) throw new BrokenPromise(outcome.words)
          demandLeft(outcome, goneOn, isFlushed)
        } catch (failure) {
          broken.add(`${recovery.where}: ${wordsOf(failure)}`)
        }
      }
    }
    this.#later = []
    return [...broken]
  }

  #isDue(what: Occasion, every: number): boolean {
    const count = (this.#counts.get(what) ?? 0) + 1
    this.#counts.set(what, count)
    return count % every === 0
  }
}
