import { messageOf as wordsOf } from '@tandemmq/base'
import type { SimulatedFiles } from '@tandemmq/testkit'
import { BrokenPromise } from './broken-promise.ts'
import { Images } from './images.ts'
import { promised, type Ledger } from './ledger.ts'
import { Machine } from './machine.ts'
import { outcomesOf, outcomesOfKills } from './outcomes.ts'
import { Broken, Recoveries, type Outcome, type Recovery, type RecoveryOptions } from './recoveries.ts'
import { Actor, type Step } from './steps.ts'
import { demandKept } from './verdict.ts'

/** What an exploration has tried and found. */
export interface Findings {
  /** Calls to the disk, and promises, after which the machine or the process died. */
  readonly boundaries: number
  /** Crashes tried: boundaries times what each may leave. */
  readonly crashes: number
  /** Of these, those of recoveries. */
  readonly recoveryCrashes: number
  /** Different states of the disk that they have left: each was recovered. */
  readonly states: number
  /** Acknowledged messages that were missing afterwards. */
  readonly lost: number
  /** What went wrong, in words. */
  readonly broken: readonly string[]
}

export interface ExplorationOptions extends RecoveryOptions {
  /** Of the power cuts behind more than one step, every so-manieth is made; all of the others. */
  readonly cutEvery: number
}

export const nothingFound: Findings = {
  boundaries: 0,
  crashes: 0,
  recoveryCrashes: 0,
  states: 0,
  lost: 0,
  broken: [],
}

export function together(one: Findings, other: Findings): Findings {
  return {
    boundaries: one.boundaries + other.boundaries,
    crashes: one.crashes + other.crashes,
    recoveryCrashes: one.recoveryCrashes + other.recoveryCrashes,
    states: one.states + other.states,
    lost: one.lost + other.lost,
    broken: [...one.broken, ...other.broken],
  }
}

/** The counts, for people. */
export function reportOf(findings: Findings): string {
  const { boundaries, crashes, recoveryCrashes, states, lost } = findings
  return `${crashes} crashes tried, ${recoveryCrashes} of them in recoveries, at ${boundaries} boundaries; ${states} different states recovered; acknowledged messages lost: ${lost}`
}

/** More than this is not worth reading. */
const BROKEN_MAX = 20

/**
 * Lets a machine die at every boundary of every sequence of steps, with everything that the disk may have kept, and checks what a new start makes of it.
 */
export async function explore(
  sequences: readonly (readonly Step[])[],
  options: ExplorationOptions,
): Promise<Findings> {
  const exploration = new Exploration(options)
  for (const sequence of sequences) {
    await exploration.sequence(sequence)
    if (exploration.findings.broken.length >= BROKEN_MAX) break
  }
  return exploration.findings
}

/** The machine as it is at a boundary. */
interface Boundary {
  readonly disk: SimulatedFiles
  readonly ledger: Ledger
}

class Exploration {
  readonly #options: ExplorationOptions
  readonly #recoveries: Recoveries
  #boundaries = 0
  #crashes = 0
  #lost = 0
  readonly #broken: string[] = []
  /** What was found to be kept of which promises. */
  readonly #kept = new WeakMap<Outcome, Set<string>>()

  constructor(options: ExplorationOptions) {
    this.#options = options
    this.#recoveries = new Recoveries(options)
  }

  get findings(): Findings {
    const { crashes: recoveryCrashes, count: states } = this.#recoveries
    return {
      boundaries: this.#boundaries,
      crashes: this.#crashes + recoveryCrashes,
      recoveryCrashes,
      states,
      lost: this.#lost,
      broken: this.#broken,
    }
  }

  /** The boundaries of the last step; those before belong to a shorter sequence. */
  async sequence(sequence: readonly Step[]): Promise<void> {
    const { boundaries, boot } = await boundariesOf(sequence)
    const name = sequence.length === 0 ? 'open' : sequence.join(', ')
    const images = new Images(this.#recoveries, sequence.length > 1 ? this.#options.cutEvery : 1)
    const verdicts: (() => void)[] = []
    for (const [index, { disk, ledger }] of boundaries.entries()) {
      const where = `${name}: boundary ${index}`
      const killed = this.#recoveries.afterKill(disk, boot, `${where}, a kill`)
      const cut = images.ofPowerCuts(disk, where)
      verdicts.push(() => {
        for (const outcome of outcomesOfKills(killed)) this.#judge(outcome, ledger, 'kill', killed)
        for (const recovery of [killed, ...cut])
          for (const outcome of outcomesOf(recovery)) this.#judge(outcome, ledger, 'power', recovery)
      })
    }
    await this.#recoveries.run()
    for (const verdict of verdicts) verdict()
    this.#broken.push(...this.#recoveries.brokenLater())
    this.#boundaries += boundaries.length
    this.#crashes += boundaries.length + images.cuts
  }

  #judge(outcome: Outcome, ledger: Ledger, how: 'kill' | 'power', recovery: Recovery): void {
    const promise = `${how} ${nameOf(ledger)}`
    const kept = this.#kept.get(outcome) ?? new Set()
    if (kept.has(promise)) return
    kept.add(promise)
    this.#kept.set(outcome, kept)
    try {
      if (outcome instanceof Broken) throw new BrokenPromise(outcome.words)
      demandKept(outcome, ledger, promised(ledger, how))
    } catch (failure) {
      if (failure instanceof BrokenPromise) this.#lost += failure.lost
      if (this.#broken.length < BROKEN_MAX) this.#broken.push(`${recovery.where}: ${wordsOf(failure)}`)
    }
  }
}

/** Lets a machine do the steps, and keeps it as it is at every boundary of the last one. */
async function boundariesOf(
  sequence: readonly Step[],
): Promise<{ readonly boundaries: readonly Boundary[]; readonly boot: string }> {
  const machine = new Machine('boot-1')
  const boundaries: Boundary[] = []
  let isWatched = false
  const note = (): void => {
    if (isWatched) boundaries.push({ disk: machine.fork(), ledger: actor.ledger })
  }
  const actor: Actor = new Actor(machine, note)
  isWatched = sequence.length === 0
  await (isWatched ? actor.open() : actor.prepare())
  for (const [index, step] of sequence.entries()) {
    isWatched = index === sequence.length - 1
    await actor[step]()
  }
  note()
  return { boundaries, boot: machine.bootId }
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
