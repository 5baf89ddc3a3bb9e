import { encodeReport } from '@tandemmq/codec'
import { SeededRandom } from '@tandemmq/testkit'
import type { HaMaster } from '../ha-master.ts'
import type { HaSlave } from '../ha-slave.ts'
import { MemoryLog, lineageOf } from './memory-log.ts'
import { Pair } from './pair.ts'
import { WireTrace } from './wire-trace.ts'

interface Cast {
  readonly log: MemoryLog
  readonly trace: WireTrace
  readonly host: string
  readonly identity: string
  slave: HaSlave | undefined
  lives: number
  /** Of its log's cuts, how many were told. */
  toldCuts: number
}

/** What a command of a scenario does; `words` are those behind its name. */
type Command = (words: readonly string[]) => Promise<void> | void

/** Time that a command is given, ms. */
const A_MOMENT = 20

/** What is written at once arrives at once: a trace shows what the protocol does, not what TCP may. */
class Wholeness extends SeededRandom {
  override chance(): boolean {
    return false
  }
}

/**
 * Plays a scenario: a text of prose (`#`), commands (`$`), and below each command what then passed the wires and what the two sides complained
 * of. {@link play} returns the text as it ought to be.
 */
export class Scenario {
  readonly #pair = new Pair(1, {}, new Wholeness(1))
  readonly #slaves = new Map<string, Cast>()
  #master: HaMaster | undefined
  #lines: string[] = []
  #toldByMaster = 0
  #toldBySlaves = 0

  readonly #commands: Readonly<Record<string, Command>> = {
    master: (words) => this.#startMaster(words),
    slave: ([name = '', ...words]) => this.#cast(name, words),
    follow: ([name = '']) => this.#follow(name),
    append: ([bytes]) => this.#write(Number(bytes)),
    wait: ([ms]) => this.#pair.clock.advance(Number(ms)),
    break: ([name = '']) => this.#pair.net.reset('m', this.#of(name).host),
    cut: ([name = '']) => this.#pair.net.cut('m', this.#of(name).host),
    heal: ([name = '']) => this.#pair.net.heal('m', this.#of(name).host),
    epoch: ([epoch]) => this.#openEpoch(Number(epoch)),
    confirm: ([position]) => this.#master?.setConfirmed(Number(position)),
    stop: ([name = '']) => void this.#of(name).slave?.leave(),
    full: ([name = '']) => void (this.#of(name).log.appendProblem = 'no space left on device'),
    lie: ([name = '', position]) => void (this.#of(name).trace.forgedReport = encodeReport(Number(position))),
    expired: ([offset]) => this.#pair.masterLog.dropBelow(Number(offset)),
    status: () => this.#status(),
  }

  async play(text: string): Promise<string> {
    const played: string[] = []
    for (const line of text.split('\n').filter((one) => one === '' || /^[#$]/.test(one))) {
      played.push(line)
      if (!line.startsWith('$')) continue
      const [name = '', ...words] = line.slice(1).trim().split(/\s+/)
      const command = this.#commands[name]
      if (command === undefined) throw new Error(`there is no command "${name}"`)
      await command(words)
      if (!['wait', 'slave', 'lie', 'full'].includes(name)) await this.#pair.clock.advance(A_MOMENT)
      this.#complaints()
      played.push(...this.#lines.splice(0))
    }
    await this.#master?.close()
    return played.join('\n')
  }

  async #startMaster(words: readonly string[]): Promise<void> {
    const { masterLog } = this.#pair
    fill(masterLog, words)
    const has = (flag: string): boolean => words.includes(flag)
    const tail = words.indexOf('missing-tail')
    this.#master = await this.#pair.listen({
      flushRequired: has('SYNC_FLUSH'),
      inSyncReplicas: has('three') ? 3 : 2,
      acceptLoss: has('accept-loss'),
      ...(tail === -1 ? {} : { tail: () => ({ kind: 'missing', holder: words[tail + 1] ?? '' }) }),
    })
    this.#master.replicated.onAdvance((at) => this.#say('master', `== on enough replicas up to ${at}`))
  }

  #cast(name: string, words: readonly string[]): void {
    const log = this.#pair.emptyLog()
    fill(log, words)
    const trace = new WireTrace((line) => this.#say(name, line))
    const identity = words.includes('identity') ? (words.at(-1) ?? name) : name
    this.#slaves.set(name, { log, trace, host: name, identity, slave: undefined, lives: 0, toldCuts: 0 })
  }

  #follow(name: string): void {
    const cast = this.#of(name)
    cast.slave?.close()
    cast.lives += 1
    this.#pair.net.delay('m', cast.host, { min: 1, max: 1 })
    this.#pair.tap = cast.trace
    cast.slave = this.#pair.follow(
      cast.log,
      { identity: cast.identity, instanceId: `${name}, life ${cast.lives}` },
      cast.host,
    )
  }

  #write(bytes: number): void {
    const { masterLog } = this.#pair
    masterLog.write(bytesAt(masterLog.end, bytes, lastSalt(masterLog)))
  }

  #openEpoch(epoch: number): void {
    const { masterLog } = this.#pair
    const before = masterLog.lineage?.epochs ?? []
    const [opened] = lineageOf({ [epoch]: masterLog.end }).epochs
    if (masterLog.lineage === undefined || opened === undefined) throw new Error('a master with a lineage')
    masterLog.lineage = { ...masterLog.lineage, epochs: [...before, opened] }
  }

  #status(): void {
    for (const view of this.#master?.slaves() ?? []) {
      const { identity, state, received, connects } = view
      const refusals = [...view.refusals].map(([reason, count]) => `, ${reason} ${count}`).join('')
      this.#lines.push(`   ${identity} is ${state}, has ${received}, accepted ${connects}${refusals}`)
    }
  }

  #complaints(): void {
    const { masterLogger, slaveLogger } = this.#pair
    for (const { level, facts } of masterLogger.lines.slice(this.#toldByMaster)) {
      if (level !== 'debug' && facts['reason'] !== undefined)
        this.#lines.push(`   the master logs: ${facts['reason']}`)
    }
    for (const { level, facts } of slaveLogger.lines.slice(this.#toldBySlaves)) {
      if (level !== 'debug' && facts['reason'] !== undefined)
        this.#lines.push(`   the slave logs: ${facts['reason']}`)
    }
    this.#toldByMaster = masterLogger.lines.length
    this.#toldBySlaves = slaveLogger.lines.length
    for (const [name, cast] of this.#slaves) {
      for (const at of cast.log.cuts.slice(cast.toldCuts))
        this.#lines.push(`   ${name} has cut its log to ${at}`)
      cast.toldCuts = cast.log.cuts.length
    }
  }

  #say(who: string, line: string): void {
    this.#lines.push(`${String(this.#pair.clock.monotonic()).padStart(8)} ms  ${who} ${line}`)
  }

  #of(name: string): Cast {
    const cast = this.#slaves.get(name)
    if (cast === undefined) throw new Error(`there is no slave "${name}"`)
    return cast
  }
}

/** `0..900 epochs 1@0 2@500`: bytes of an epoch are the same wherever it is. `differing-from 700`: from there on they are not. */
function fill(log: MemoryLog, words: readonly string[]): void {
  const [, begin = 0, end = 0] = (/^(\d+)\.\.(\d+)$/.exec(words[0] ?? '') ?? []).map(Number)
  const starts = words.flatMap((word) => (/^(\d+)@(\d+)$/.exec(word) ?? []).slice(1).map(Number))
  const epochs: Record<number, number> = {}
  for (let at = 0; at < starts.length; at += 2) epochs[starts[at] ?? 0] = starts[at + 1] ?? 0
  if (starts.length > 0) log.lineage = lineageOf(epochs)
  log.minOffset = begin
  log.flushed = begin
  const differing = words.indexOf('differing-from')
  const foreign = differing === -1 ? Infinity : Number(words[differing + 1])
  const borders = [...Object.values(epochs), end]
    .filter((at) => at > begin)
    .toSorted((one, other) => one - other)
  for (const border of borders) {
    const salt = lastSalt(log)
    const own = Math.min(border, Math.max(foreign, log.end))
    if (own > log.end) log.write(bytesAt(log.end, own - log.end, salt))
    if (border > log.end) log.write(bytesAt(log.end, border - log.end, salt + 100))
  }
  log.flushed = log.end
}

/** Of the epoch that the end of the log lies in. */
function lastSalt(log: MemoryLog): number {
  return log.lineage?.epochs.findLast(({ start }) => start <= log.end)?.epoch ?? 0
}

function bytesAt(offset: number, count: number, salt: number): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, index) => (offset + index) * 31 + salt * 7))
}
