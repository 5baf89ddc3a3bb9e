import type { DurabilityMode } from '@tandemmq/broker'
import { SeededRandom, type Span } from '@tandemmq/testkit'

export const METADATA = 'metadata'
export const MASTER = 'master'
/** A second metadata-rpc, which follows the first one. */
export const RELAY = 'relay'

/** How long packets take on a slow link, ms. */
export const SLOW: Span = { min: 50, max: 400 }

/** Something that happens to the cluster, and for how long. */
export type Misfortune = { readonly at: number; readonly lastsMs: number } & (
  | {
      /** SIGKILL, power cut (only where the mode survives it), SIGSTOP. */
      readonly kind: 'kill' | 'power' | 'stop'
      readonly who: string
    }
  | {
      /** Nothing passes; nothing passes one way; packets take long; connections are reset (that takes no time). */
      readonly kind: 'cut' | 'cut-one-way' | 'slow' | 'reset'
      readonly one: string
      readonly other: string
    }
  | MachineTrouble
)

export interface MachineTrouble {
  /** The wall clock jumps and jumps back; syncs take up to 1.5 s; the disk takes 8 KiB more and then nothing. */
  readonly kind: 'clock-jump' | 'slow-disk' | 'full-disk'
  readonly who: string
  /** How far a clock jumps, either way. */
  readonly ms: number
}

/** All that the seed decides before a life begins. */
export interface Plan {
  readonly seed: number
  readonly mode: DurabilityMode
  readonly slaves: readonly string[]
  /** The order in which the processes start, and the pause after each, ms. */
  readonly starts: readonly { readonly who: string; readonly pauseMs: number }[]
  readonly delayMs: Span
  readonly syncMs: Span
  /** How long producers send while things go wrong, ms. */
  readonly workMs: number
  readonly sendEveryMs: Span
  readonly consumers: number
  readonly batchSize: number
  readonly invisibleMs: number
  /** One in so many messages is scheduled for later, 0 = none. */
  readonly scheduledOneIn: number
  readonly misfortunes: readonly Misfortune[]
  /** When all is over and well, the master's machine is lost under load and never comes back: the slave must have all that was promised. */
  readonly losesMaster: boolean
  /** How long files of the log are kept, ms; `undefined`: for ever. */
  readonly reservedMs: number | undefined
  /** When an operator makes another member the master, while things go wrong: it may be refused (rule 3.5). */
  readonly promotions: readonly Promotion[]
  /** When all is over and well, an asynchronous master loses under load what nobody else has. */
  readonly suffixLoss: SuffixLoss | undefined
  /** When all is over and well, the master is killed in the moment in which it has delivered something in order. */
  readonly losesHolder: boolean
  /** When all is over and well, the master is killed, and then it and its slaves do not reach each other. */
  readonly apart: Apart | undefined
  /** Clients go to either of two gateways. */
  readonly hasRelay: boolean
}

/** How the end of a log is lost, and what keeps the slaves behind until then. */
export interface SuffixLoss {
  /**
   * `machine`: the master's, for good; a slave takes its place. `power`: the same, but it comes back once its successor takes messages.
   * `tail`: it loses its power and is started again as the master. `deposed`: it is cut off together with the relay, and the operator's word that it
   * is off is wrong; what the relay's clients send it meanwhile is lost.
   */
  readonly of: 'machine' | 'power' | 'tail' | 'deposed'
  readonly link: 'good' | 'slow' | 'cut' | 'cut-one-way'
  /** Otherwise the first slave alone is behind. */
  readonly hitsAll: boolean
  readonly workMs: number
  readonly downMs: number
  /** How long the links go on being as they are after the loss; a restarted master waits 5 s for its slaves (rule 3.2). */
  readonly linkMs: number
}

/** How master and slaves are apart that both reach metadata-rpc. */
export interface Apart {
  /** `slow`: behind when the master is killed. */
  readonly link: 'cut' | 'cut-one-way' | 'slow'
  readonly workMs: number
  readonly downMs: number
  /** For how long, at least. */
  readonly lastsMs: number
}

export interface Promotion {
  readonly at: number
  readonly to: string
}

export function planOf(seed: number): Plan {
  const random = new SeededRandom(seed)
  const mode = modeOf(random)
  const slaves = random.chance(1, 4) ? ['slave-1', 'slave-2'] : ['slave-1']
  const workMs = random.between(8_000, 16_000)
  const order = random.shuffled([METADATA, MASTER, ...slaves])
  const plan = {
    seed,
    mode,
    slaves,
    starts: order.map((who) => ({ who, pauseMs: random.chance(1, 3) ? random.between(0, 1_500) : 0 })),
    delayMs: random.chance(1, 4) ? { min: 0, max: 20 } : { min: 0, max: 2 },
    syncMs: random.chance(1, 4) ? { min: 1, max: 40 } : { min: 0, max: 3 },
    workMs,
    sendEveryMs: { min: 10, max: random.between(60, 250) },
    consumers: random.between(1, 3),
    batchSize: random.between(1, 16),
    invisibleMs: random.between(10_000, 15_000),
    scheduledOneIn: random.between(0, 1) * random.between(4, 12),
    misfortunes: misfortunesOf(random, workMs, () => whatOf(random, mode, slaves)),
    losesMaster: mode.replication === 'sync' && slaves.length === 1 && random.chance(1, 2),
  }
  // Drawn last: what an older seed stands for stays the same.
  const reservedMs = !plan.losesMaster && random.chance(1, 3) ? random.between(2_000, 12_000) : undefined
  const promotions = random.chance(1, 3) ? promotionsOf(random, [MASTER, ...slaves], workMs) : []
  const mayLoseSuffix = mode.replication === 'async' && reservedMs === undefined
  const suffixLoss = mayLoseSuffix && random.chance(1, 2) ? suffixLossOf(random) : undefined
  const drawn = {
    ...plan,
    reservedMs,
    promotions,
    suffixLoss,
    hasRelay: false,
    losesHolder: false,
    apart: undefined,
  }
  const whole = random.chance(1, 3) ? withRelay(random, drawn) : drawn
  const mayLoseHolder = !plan.losesMaster && suffixLoss === undefined
  const held = { ...whole, losesHolder: mayLoseHolder && random.chance(1, 2) }
  const troubled = random.chance(1, 4) ? withMachineTroubles(random, held) : held
  return mayLoseHolder && random.chance(1, 3) ? { ...troubled, apart: apartOf(random) } : troubled
}

/** More slaves, and machines that misbehave. */
function withMachineTroubles(random: SeededRandom, plan: Plan): Plan {
  const third = plan.slaves.length === 2 && random.chance(2, 3) ? ['slave-3'] : []
  const slaves = [...plan.slaves, ...third]
  const starts = [...plan.starts, ...third.map((who) => ({ who, pauseMs: 0 }))]
  const kinds = ['slow-disk', 'full-disk'] as const
  const more = misfortunesOf(random, plan.workMs, () => ({
    // Where logs expire by the wall clock, a jump is a loss that was asked for.
    kind: oneOf(random, plan.reservedMs === undefined ? ['clock-jump', ...kinds] : kinds),
    who: oneOf(random, [MASTER, MASTER, ...slaves, METADATA]),
    ms: random.between(-20_000, 20_000),
  }))
  const misfortunes = [...plan.misfortunes, ...more].toSorted((one, other) => one.at - other.at)
  return { ...plan, slaves, starts, misfortunes }
}

function withRelay(random: SeededRandom, plan: Plan): Plan {
  const start = { who: RELAY, pauseMs: 0 }
  const starts = plan.starts.toSpliced(random.between(0, plan.starts.length), 0, start)
  const more = misfortunesOf(random, plan.workMs, () => relayMisfortuneOf(random, plan.slaves))
  const unheard = more.filter((it) => 'one' in it && [it.one, it.other].includes(METADATA))
  const losses = unheard.flatMap(({ at, lastsMs }) =>
    registrationLossOf(random, plan.slaves, at + random.below(lastsMs)),
  )
  const misfortunes = [...plan.misfortunes, ...more, ...losses].toSorted((one, other) => one.at - other.at)
  const isDeposed = plan.suffixLoss !== undefined && random.chance(1, 2)
  const suffixLoss = isDeposed ? { ...plan.suffixLoss, of: 'deposed' as const } : plan.suffixLoss
  return { ...plan, hasRelay: true, starts, misfortunes, suffixLoss }
}

/** Whoever may serve loses its registration and cannot register again: the token moves at once, and whoever served before does not know (rule 4.2). */
function registrationLossOf(random: SeededRandom, slaves: readonly string[], at: number): Misfortune[] {
  const link = { one: oneOf(random, [MASTER, MASTER, ...slaves]), other: METADATA }
  return [
    { kind: 'reset', ...link, at, lastsMs: 0 },
    { kind: 'cut', ...link, at: at + random.between(1, 30), lastsMs: random.between(500, 4_000) },
  ]
}

function relayMisfortuneOf(random: SeededRandom, slaves: readonly string[]): What {
  const other = oneOf(random, [METADATA, METADATA, MASTER, oneOf(random, [MASTER, ...slaves])])
  const [one = RELAY, another = other] = random.shuffled([RELAY, other])
  const link = { one, other: another }
  return oneOf<What>(random, [
    { kind: 'kill', who: RELAY },
    { kind: 'stop', who: RELAY },
    { kind: 'stop', who: METADATA },
    { kind: 'cut', ...link },
    { kind: 'cut', ...link },
    { kind: 'cut-one-way', ...link },
    { kind: 'slow', ...link },
    { kind: 'reset', ...link },
  ])
}

function suffixLossOf(random: SeededRandom): SuffixLoss {
  return {
    of: oneOf(random, ['machine', 'power', 'tail']),
    link: oneOf(random, ['good', 'slow', 'cut', 'cut-one-way']),
    workMs: random.between(300, 3_000),
    downMs: random.between(50, 3_000),
    linkMs: random.between(0, 12_000),
    hitsAll: random.chance(1, 2),
  }
}

function apartOf(random: SeededRandom): Apart {
  return {
    link: oneOf(random, ['cut', 'cut-one-way', 'slow']),
    workMs: random.between(300, 3_000),
    downMs: random.between(500, 3_000),
    lastsMs: random.between(1_000, 12_000),
  }
}

function oneOf<T>(random: SeededRandom, [first, ...rest]: readonly [T, ...T[]]): T {
  return rest[random.below(rest.length + 1) - 1] ?? first
}

function promotionsOf(random: SeededRandom, members: readonly string[], workMs: number): Promotion[] {
  return Array.from({ length: random.between(1, 3) }, () => ({
    at: random.between(500, workMs),
    to: members[random.below(members.length)] ?? MASTER,
  })).toSorted((one, other) => one.at - other.at)
}

function modeOf(random: SeededRandom): DurabilityMode {
  const replication = random.chance(1, 2) ? 'sync' : 'async'
  const flush = random.chance(1, 2) ? 'sync' : 'async'
  return { replication, flush, inSyncReplicas: replication === 'sync' ? 2 : 1 }
}

function misfortunesOf(random: SeededRandom, workMs: number, what: () => What): Misfortune[] {
  const misfortunes: Misfortune[] = []
  let at = random.between(1_000, 4_000)
  while (at < workMs) {
    const lastsMs = random.chance(1, 3) ? random.between(20, 600) : random.between(600, 5_000)
    misfortunes.push({ at, lastsMs, ...what() })
    // Most of the time one ends before the next begins.
    at += (random.chance(1, 4) ? 0 : lastsMs) + random.between(0, 3_000)
  }
  return misfortunes
}

type What = Misfortune extends infer M ? (M extends unknown ? Omit<M, 'at' | 'lastsMs'> : never) : never

function whatOf(random: SeededRandom, mode: DurabilityMode, slaves: readonly string[]): What {
  const slave = slaves[random.below(slaves.length)] ?? MASTER
  const [one = MASTER, other = slave] = random.shuffled([MASTER, slave, METADATA])
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return { kind: 'kill', who: MASTER }
    case 3:
    case 4:
      return { kind: 'stop', who: MASTER }
    case 5:
      return { kind: mode.flush === 'sync' ? 'power' : 'kill', who: MASTER }
    case 6:
      return { kind: random.chance(1, 2) ? 'power' : 'kill', who: slave }
    case 7:
      return { kind: 'stop', who: slave }
    case 8:
      return { kind: 'kill', who: METADATA }
    case 9:
      return { kind: random.chance(1, 2) ? 'slow' : 'reset', one, other }
    case 10:
      return { kind: 'cut-one-way', one, other }
    default:
      return { kind: 'cut', one, other }
  }
}

/** One line that says what kind of life it is. */
export function headline({
  seed,
  mode,
  slaves,
  misfortunes,
  consumers,
  reservedMs,
  promotions,
  suffixLoss,
  hasRelay,
  apart,
}: Plan): string {
  const names = `${mode.replication.toUpperCase()}_MASTER, ${mode.flush.toUpperCase()}_FLUSH`
  const count = slaves.length === 1 ? 'one slave' : `${slaves.length} slaves`
  const promoted = promotions.length === 0 ? '' : `, promotions: ${promotions.length}`
  const lost = suffixLoss === undefined ? '' : `, loses: ${suffixLoss.of} (${suffixLoss.link})`
  const away = apart === undefined ? '' : `, apart (${apart.link})`
  const kept = reservedMs === undefined ? '' : `, kept for ${reservedMs} ms`
  return `seed ${seed}: ${names}, ${count}, consumers: ${consumers}, misfortunes: ${misfortunes.length}${hasRelay ? ', two gateways' : ''}${kept}${promoted}${lost}${away}`
}
