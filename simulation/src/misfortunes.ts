import type { BrokerNode } from './broker-node.ts'
import type { Cluster } from './cluster.ts'
import type { MachineProcess } from './machine-process.ts'
import { SLOW_SYNC_MS, troubleMachine } from './machine-troubles.ts'
import type { MachineTrouble, Misfortune, Plan } from './plan.ts'
import type { Story } from './story.ts'

/** As long a process may leave something unsynced (rule 5.1), ms; what one before it has left, it syncs before it is open. */
const UNSYNCED_MS = 200
/** The same where syncs take long: it waits for the one that was under way, and for its own. */
const UNSYNCED_SLOW_MS = UNSYNCED_MS + 2 * SLOW_SYNC_MS.max

/** A member's machine without power. */
export interface PowerCut {
  readonly who: string
  /** Monotonic, ms, as the next. */
  readonly at: number
  /** What its journal was given from here on may be gone. */
  readonly unsyncedSince: number
}

/** Makes the plan's misfortunes happen, and takes them back. */
export class Misfortunes {
  readonly #cluster: Cluster
  readonly #plan: Plan
  readonly #story: Story
  readonly #powerCuts: PowerCut[] = []
  /** When the disk of a member was slow last; `Infinity`: it is now. */
  readonly #slowUntil = new Map<string, number>()
  /** When the last process of a member was killed, and when the next was started; monotonic, ms. */
  readonly #kills = new Map<string, { readonly at: number; readonly startedAt?: number }>()
  readonly #resets: number[] = []
  /** How to put machines right that are in trouble. */
  readonly #cures = new Set<() => void>()
  #jumpedMs = 0
  #isOver = false

  constructor(cluster: Cluster, plan: Plan, story: Story) {
    this.#cluster = cluster
    this.#plan = plan
    this.#story = story
  }

  /** What was cut off from power, and when; also the kills before it, of which something may be gone with it. */
  get powerCuts(): readonly PowerCut[] {
    return this.#powerCuts
  }

  /** How far wall clocks may have been apart, ms. */
  get jumpedMs(): number {
    return this.#jumpedMs
  }

  /** When connections ended between living processes: they were reset, or metadata-rpc finds, as it goes on, that others have hung up on it. */
  get resets(): readonly number[] {
    return this.#resets
  }

  /** Counts from now. */
  begin(): void {
    const { time } = this.#cluster
    for (const misfortune of this.#plan.misfortunes) {
      time.after(misfortune.at, () => {
        if (this.#isOver) return
        const end = this.#strike(misfortune)
        if (end === undefined) return
        time.after(misfortune.lastsMs, () => {
          if (!this.#isOver) end()
        })
      })
    }
  }

  /** A broker loses its power, whatever the plan says. */
  cutPower(node: BrokerNode): void {
    const who = node.name
    const now = this.#cluster.time.monotonic()
    const cut = this.#unsynced(who, now)
    this.#powerCuts.push(cut)
    const killed = this.#kills.get(who)
    const isSynced = node.broker !== undefined && (killed?.startedAt ?? now) < cut.unsyncedSince
    // What that process had not synced, nobody has since.
    if (killed !== undefined && !isSynced) this.#powerCuts.push(this.#unsynced(who, killed.at))
    this.#kills.delete(who)
    node.cutPower()
  }

  #unsynced(who: string, at: number): PowerCut {
    const isSlow = (this.#slowUntil.get(who) ?? -Infinity) >= at - UNSYNCED_SLOW_MS
    return { who, at, unsyncedSince: at - (isSlow ? UNSYNCED_SLOW_MS : UNSYNCED_MS) }
  }

  /** From now on nothing goes wrong any more, and what did is put right. */
  end(): void {
    this.#isOver = true
    const { net, processes } = this.#cluster
    this.#story.say('--', 'all links are healed, everything is started')
    net.healAll()
    for (const one of processes) {
      for (const other of processes) {
        if (one !== other) this.#cluster.speedUp(one.name, other.name)
      }
    }
    for (const cure of this.#cures) cure()
    for (const process of processes) {
      this.#goOn(process)
      process.start()
    }
  }

  /** Returns how it ends; undefined if there is nothing to end. */
  #strike(misfortune: Misfortune): (() => void) | undefined {
    const { net } = this.#cluster
    switch (misfortune.kind) {
      case 'kill':
      case 'power':
      case 'stop':
        return this.#strikeProcess(misfortune.kind, misfortune.who, misfortune.lastsMs)
      case 'clock-jump':
      case 'slow-disk':
      case 'full-disk':
        return this.#trouble(misfortune)
      default: {
        const { kind, one, other, lastsMs } = misfortune
        this.#story.say('--', `${one} and ${other}: ${kind}${kind === 'reset' ? '' : ` for ${lastsMs} ms`}`)
        if (kind === 'reset') {
          this.#resets.push(this.#cluster.time.monotonic())
          net.reset(one, other)
          return undefined
        }
        if (kind === 'cut') net.cut(one, other)
        if (kind === 'cut-one-way') net.cutOneWay(one, other)
        if (kind === 'slow') this.#cluster.slowDown(one, other)
        return () => {
          this.#story.say('--', `${one} and ${other}: ${kind} is over`)
          if (kind === 'slow') this.#cluster.speedUp(one, other)
          else net.heal(one, other)
        }
      }
    }
  }

  #goOn(process: MachineProcess): void {
    const { metadata, time } = this.#cluster
    if (process === metadata && process.state === 'stopped') this.#resets.push(time.monotonic())
    process.goOn()
  }

  #trouble({ kind, who, ms, lastsMs }: MachineTrouble & { readonly lastsMs: number }): () => void {
    this.#story.say('--', `${who}: ${kind}${kind === 'clock-jump' ? ` of ${ms} ms` : ''} for ${lastsMs} ms`)
    if (kind === 'clock-jump') this.#jumpedMs += Math.abs(ms)
    if (kind === 'slow-disk') this.#slowUntil.set(who, Infinity)
    const putRight = troubleMachine(this.#cluster.process(who).machine, { kind, ms }, this.#plan)
    const cure = (): void => {
      this.#cures.delete(cure)
      this.#story.say('--', `${who}: ${kind} is over`)
      if (kind === 'slow-disk') this.#slowUntil.set(who, this.#cluster.time.monotonic())
      putRight()
    }
    this.#cures.add(cure)
    return cure
  }

  #strikeProcess(kind: 'kill' | 'power' | 'stop', who: string, lastsMs: number): (() => void) | undefined {
    const process = this.#cluster.process(who)
    if (process.state !== 'up') return undefined
    const words = { kill: 'killed', power: 'power cut', stop: 'stopped (SIGSTOP)' }[kind]
    this.#story.say('--', `${who}: ${words} for ${lastsMs} ms`)
    if (kind === 'stop') {
      process.stop()
      return () => this.#goOn(process)
    }
    const broker = this.#cluster.broker(who)
    // Of a slave that was made the master, too, an asynchronous flush survives a kill only.
    const isFragile = broker?.broker?.role.kind === 'master' && this.#plan.mode.flush === 'async'
    const { time } = this.#cluster
    const at = time.monotonic()
    // One that was not open yet has not synced what those before it had left.
    const before = broker?.broker === undefined ? this.#kills.get(who)?.at : undefined
    const killed = { at: before ?? at }
    if (kind === 'power' && broker !== undefined && !isFragile) this.cutPower(broker)
    else {
      this.#kills.set(who, killed)
      process.kill()
    }
    return () => {
      this.#story.say('--', `${who}: started`)
      if (this.#kills.get(who) === killed) this.#kills.set(who, { ...killed, startedAt: time.monotonic() })
      process.start()
    }
  }
}
