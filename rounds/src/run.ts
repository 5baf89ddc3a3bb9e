import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '@tandemmq/base'
import { SeededRandom, type Tally } from '@tandemmq/testkit'
import type { ClusterMode } from './conf.ts'
import { Life } from './life.ts'
import { misfortunes, type Misfortune } from './misfortunes.ts'
import { heading, lineOf, summaryOf } from './report.ts'
import type { RoundResult } from './round.ts'

/** Of one cluster: then its logs have grown long enough. */
export const ROUNDS_PER_CLUSTER = 7
/** Clusters take turns. */
const MODES: readonly ClusterMode[] = [
  { flush: 'ASYNC_FLUSH', slaves: 1 },
  { flush: 'SYNC_FLUSH', slaves: 1 },
  { flush: 'ASYNC_FLUSH', slaves: 2 },
  { flush: 'SYNC_FLUSH', slaves: 2 },
]
/** Of what is broken, so much is printed. */
const VIOLATIONS_SHOWN = 20
/** Keeps what is drawn for one round apart from what is drawn for the next seed. */
const SEEDS_APART = 1_000_003

/** Rounds in clusters, drawn from one seed. */
export class Run {
  readonly #seed: number
  readonly #perCluster: number
  readonly #directory: string
  readonly #results: RoundResult[] = []
  readonly #evidence = new Set<string>()
  #failed = 0

  /** In `directory` lies what the clusters write; of one that failed it stays. */
  constructor(options: { readonly seed: number; readonly perCluster: number; readonly directory: string }) {
    this.#seed = options.seed
    this.#perCluster = options.perCluster
    this.#directory = options.directory
  }

  /** Rounds count from 1; after a failure the rest of a cluster's rounds is left out. Rejects where no cluster comes up. */
  async rounds(from: number, count: number): Promise<Tally> {
    print(heading)
    const end = from + count
    for (let round = from; round < end;) {
      const cluster = Math.floor((round - 1) / this.#perCluster)
      const next = Math.min(end, (cluster + 1) * this.#perCluster + 1)
      await this.#life(cluster, round, next)
      this.removeAllButEvidence()
      round = next
    }
    print(`\n${summaryOf(this.#results)}`)
    return { passed: this.#results.filter(isGood).length, failed: this.#failed }
  }

  /** What no failed round has left goes, whatever is under way. */
  removeAllButEvidence(): void {
    if (!existsSync(this.#directory)) return
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name)
      if (!this.#evidence.has(path)) rmSync(path, { recursive: true, force: true })
    }
    if (this.#evidence.size === 0) rmSync(this.#directory, { recursive: true, force: true })
  }

  async #life(cluster: number, from: number, end: number): Promise<void> {
    const directory = join(this.#directory, `cluster-${cluster + 1}`)
    await using life = await this.#begin(cluster, directory, from)
    if (life === undefined) return
    for (let round = from; round < end; round += 1) {
      if (await this.#round(life, round)) continue
      life.keepEvidence()
      this.#tellEvidence(directory, from, round)
      return
    }
  }

  /** `undefined`: there are services, and they do not become a cluster. */
  async #begin(cluster: number, directory: string, round: number): Promise<Life | undefined> {
    const mode = MODES[cluster % MODES.length]
    if (mode === undefined) throw new Error('there are no modes')
    try {
      return await Life.begin(mode, directory)
    } catch (failure) {
      if (!hasServices(directory)) throw failure
      print(`round ${round}, the start of a cluster: BROKEN ${messageOf(failure)}`)
      this.#failed += 1
      this.#tellEvidence(directory, round, round)
      return undefined
    }
  }

  async #round(life: Life, round: number): Promise<boolean> {
    const misfortune = this.#misfortune(round)
    try {
      const result = await life.round(round, misfortune, new SeededRandom(this.#seed * SEEDS_APART + round))
      this.#results.push(result)
      print(lineOf(result))
      for (const words of result.violations.slice(0, VIOLATIONS_SHOWN)) print(`  BROKEN ${words}`)
      if (isGood(result)) return true
    } catch (failure) {
      const cause =
        failure instanceof Error && failure.cause !== undefined ? ` (${messageOf(failure.cause)})` : ''
      print(`round ${round}, ${misfortune.name}: BROKEN ${messageOf(failure)}${cause}`)
    }
    this.#failed += 1
    return false
  }

  /** Each kind once, in an order of its own, before any of them comes again. */
  #misfortune(round: number): Misfortune {
    const cycle = Math.floor((round - 1) / misfortunes.length)
    const order = new SeededRandom(this.#seed * SEEDS_APART - 1 - cycle).shuffled(misfortunes)
    const drawn = order[(round - 1) % misfortunes.length]
    if (drawn === undefined) throw new Error('there are no misfortunes')
    return drawn
  }

  #tellEvidence(directory: string, from: number, round: number): void {
    this.#evidence.add(directory)
    print(`  logs of the services, disks and sends: ${directory}`)
    print(
      `  a disk: mount -o loop,ro ${directory}/broker-master/image /mnt; npm run --silent tandemmq -- store verify /mnt`,
    )
    const options = `--seed ${this.#seed} --per-cluster ${this.#perCluster} --from ${from} --rounds ${round - from + 1}`
    print(`  again: npm run rounds -- ${options}`)
  }
}

/** Whether it came so far that a service was started. */
function hasServices(directory: string): boolean {
  return existsSync(directory) && readdirSync(directory).some((name) => name.endsWith('.log'))
}

function isGood({ lost, violations }: RoundResult): boolean {
  return lost === 0 && violations.length === 0
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
