import { messageOf as wordsOf } from '@tandemmq/base'
import { WatchedFiles, type SimulatedFiles, type Survival } from '@tandemmq/testkit'
import { goOn } from './going-on.ts'
import { promised, type Ledger } from './ledger.ts'
import { Machine } from './machine.ts'
import { Actor, steps, type Step } from './steps.ts'
import { TriedCuts } from './tried-cuts.ts'
import { BrokenPromise, demandSound } from './verdict.ts'

/** What an exploration has tried and found. */
export interface Findings {
  /** Calls to the disk, and promises, after which the machine or the process died. */
  boundaries: number
  /** Crashes tried: boundaries times what each may leave. */
  crashes: number
  /** Of these, states of the disk that no earlier one had left under the same promises: each was recovered. */
  recoveries: number
  /** Recoveries that died themselves, and what their crashes left. */
  recoveryCrashes: number
  /** Acknowledged messages that were missing afterwards. */
  lost: number
  /** What went wrong, in words. */
  readonly broken: string[]
}

export interface ExplorationOptions {
  /** What the machine does; it dies at every boundary of the last step of each. */
  readonly sequences: Iterable<readonly Step[]>
  /** Of the power cuts behind more than one step, every so-manieth is made; all of the others. */
  readonly cutEvery: number
  /** Of the states that are left, every so-manieth is used on after its recovery, and loses power again. */
  readonly goOnEvery: number
  /** Of those, every so-manieth has a recovery that dies at each of its own boundaries. */
  readonly recoveryCrashEvery: number
  readonly onSequence?: (sequence: readonly Step[], findings: Findings) => void
}

/** The counts, for people. */
export function reportOf(findings: Findings): string {
  const { boundaries, crashes, recoveries, recoveryCrashes, lost } = findings
  return `${crashes} crashes tried at ${boundaries} boundaries and ${recoveryCrashes} in recoveries; ${recoveries} states recovered; acknowledged messages lost: ${lost}`
}

interface Image {
  readonly disk: SimulatedFiles
  readonly ledger: Ledger
}

/** More than this is not worth reading. */
const BROKEN_MAX = 20

/**
 * Lets a machine die at every boundary of every sequence of steps, with everything that the disk may have kept, and checks what a new start makes of it.
 */
export async function explore(options: ExplorationOptions): Promise<Findings> {
  const exploration = new Exploration(options)
  for (const sequence of options.sequences) {
    await exploration.sequence(sequence)
    options.onSequence?.(sequence, exploration.findings)
    if (exploration.findings.broken.length >= BROKEN_MAX) break
  }
  return exploration.findings
}

/** Every sequence of up to `depth` steps. Shorter ones first, so that a fault is shown by the shortest. */
export function* sequencesOf(depth: number): Iterable<readonly Step[]> {
  yield []
  let longest: readonly (readonly Step[])[] = [[]]
  for (let length = 1; length <= depth; length += 1) {
    longest = longest.flatMap((sequence) => steps.map((step) => [...sequence, step]))
    yield* longest
  }
}

class Exploration {
  readonly findings: Findings = {
    boundaries: 0,
    crashes: 0,
    recoveries: 0,
    recoveryCrashes: 0,
    lost: 0,
    broken: [],
  }
  readonly #options: ExplorationOptions
  readonly #seen = new Set<string>()

  constructor(options: ExplorationOptions) {
    this.#options = options
  }

  /** The boundaries of the last step; those before belong to a shorter sequence. */
  async sequence(sequence: readonly Step[]): Promise<void> {
    const machine = new Machine(1)
    const images: Image[] = []
    let isWatched = false
    const actor: Actor = new Actor(machine, () => {
      if (isWatched) images.push({ disk: forkOf(machine), ledger: actor.ledger })
    })
    isWatched = sequence.length === 0
    await (isWatched ? actor.open() : actor.prepare())
    for (const [index, step] of sequence.entries()) {
      isWatched = index === sequence.length - 1
      await actor[step]()
    }
    if (isWatched) images.push({ disk: forkOf(machine), ledger: actor.ledger })
    const name = sequence.length === 0 ? 'open' : sequence.join(', ')
    const cuts = new TriedCuts()
    let fresh = 0
    for (const [boundary, { disk, ledger }] of images.entries()) {
      const where = `${name}: boundary ${boundary}`
      await this.#attempt(disk, ledger, 'kill', undefined, where)
      for (const survival of cuts.fresh(disk, nameOf(ledger))) {
        fresh += 1
        if (sequence.length > 1 && fresh % this.#options.cutEvery !== 0) continue
        await this.#attempt(disk, ledger, 'power', survival, where)
      }
    }
    this.findings.boundaries += images.length
    this.findings.crashes += images.length + cuts.count
  }

  async #attempt(
    image: SimulatedFiles,
    ledger: Ledger,
    how: 'kill' | 'power',
    survival: Survival | undefined,
    where: string,
  ): Promise<void> {
    const boot = survival === undefined ? 1 : 2
    const machine = new Machine(boot, image)
    if (survival === undefined) machine.disk.kill()
    else machine.disk.crashAs(survival)
    const state = `${how} ${machine.disk.checksum()} ${machine.disk.unsynced().length} ${nameOf(ledger)}`
    if (this.#seen.has(state)) return
    this.#seen.add(state)
    this.findings.recoveries += 1
    const { recoveries } = this.findings
    try {
      if (recoveries % this.#options.recoveryCrashEvery === 0) {
        await this.#crashRecovery(machine, boot, ledger, how)
      }
      const store = await machine.open()
      const found = await demandSound(machine, store, ledger, promised(ledger, how))
      if (recoveries % this.#options.goOnEvery === 0) await goOn(machine, store, boot, ledger, found)
    } catch (failure) {
      const { broken } = this.findings
      if (failure instanceof BrokenPromise) this.findings.lost += failure.lost
      const kept = survival === undefined ? 'a kill' : `a power cut, of which survives ${survival.name}`
      if (broken.length < BROKEN_MAX) broken.push(`${where}, ${kept}: ${wordsOf(failure)}`)
    }
  }

  /** The recovery of what is on `before` dies at each of its boundaries. */
  async #crashRecovery(before: Machine, boot: number, ledger: Ledger, how: 'kill' | 'power'): Promise<void> {
    const machine = new Machine(boot, before.disk)
    const images: SimulatedFiles[] = []
    await machine.open(new WatchedFiles(machine.disk.mount(), () => images.push(forkOf(machine))))
    const cuts = new TriedCuts()
    for (const image of images) {
      for (const survival of cuts.fresh(image, '')) {
        const next = new Machine(boot + 1, image)
        next.disk.crashAs(survival)
        const state = `recovery ${how} ${next.disk.checksum()} ${nameOf(ledger)}`
        if (this.#seen.has(state)) continue
        this.#seen.add(state)
        // What a kill has left, a power cut during the recovery may take, unless it was flushed.
        await demandSound(next, await next.open(), ledger, promised(ledger, 'power'))
      }
    }
    this.findings.recoveryCrashes += cuts.count
  }
}

/** Equal for equal promises. */
function nameOf(ledger: Ledger): string {
  const known =
    names.get(ledger) ??
    JSON.stringify(ledger, (_, value: unknown) =>
      typeof value === 'string' ? Number.parseInt(value, 10) : value,
    )
  names.set(ledger, known)
  return known
}

const names = new WeakMap<Ledger, string>()

function forkOf(machine: Machine): SimulatedFiles {
  const { clock, random } = machine
  return machine.disk.fork({ clock, random })
}
