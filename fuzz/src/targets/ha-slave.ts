import { silentLogger, silentMeter, type Connection } from '@tandemmq/base'
import {
  REPORT_BYTES,
  encodeAnswer,
  encodeControlDown,
  encodeFrameHeader,
  encodeHandshake,
  encodeHello,
  readInt64,
  type Answer,
} from '@tandemmq/codec'
import { HaSlave } from '@tandemmq/ha-protocol'
import { SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import { ByteScript } from '../engine/byte-script.ts'
import { claim } from '../engine/claim.ts'
import {
  SECRET,
  scriptedControl,
  scriptedHello,
  scriptedLineage,
  scriptedOffset,
  sharedLineage,
} from '../hostile-peers/fields.ts'
import { PlainLog } from '../hostile-peers/plain-log.ts'
import { ScriptedConnection } from '../hostile-peers/scripted-connection.ts'
import type { Target, Verdict } from '../target.ts'

const STEPS_MAX = 120
const CUTS_MAX = 32

/** A slave as a whole; the input is a script of what its master, or somebody in its place, does. */
export const haSlave: Target = {
  name: 'ha-slave',
  holds:
    'no invariant breaks; nothing is appended before the handshake is over, nor anywhere but at the end of the log; a report is never beyond what is there (or on disk); it goes on trying',
  allocation: { baseBytes: 64 * 1024 * 1024, perInputByte: 256 * 1024 },
  isCostly: true,
  async run(input) {
    const script = new ByteScript(input)
    const stage = new SlaveStage(script.byte())
    await stage.start()
    for (let count = 0; count < STEPS_MAX && !script.atEnd; count += 1) {
      await stage.step(script)
      stage.check()
    }
    return stage.end()
  },
}

class SlaveStage {
  readonly #clock = new SimulatedClock()
  readonly #log: PlainLog
  readonly #mode: number
  #slave: HaSlave | undefined
  #connection = new ScriptedConnection('nobody')
  #isRefusing = false
  #chunk = 0
  #dials = 0
  #hasStreamed = false
  #complaint: Error | undefined

  constructor(mode: number) {
    this.#mode = mode
    const isEmpty = (mode & 1) === 0
    this.#log = isEmpty ? new PlainLog() : new PlainLog(sharedLineage(), Buffer.alloc(700, 0x5a))
  }

  get #isApache(): boolean {
    return (this.#mode & 4) !== 0
  }

  async start(): Promise<void> {
    const net = {
      async listen(): Promise<never> {
        throw new Error('a slave listens to nobody')
      },
      connect: () => this.#dialled(),
    }
    const random = new SeededRandom(this.#mode)
    this.#slave = HaSlave.start(
      {
        cluster: 'c',
        set: 's',
        identity: 'slave-0',
        instanceId: 'i',
        ...((this.#mode & 8) !== 0 ? { secret: SECRET } : {}),
        masterAddress: { host: 'm', port: 1 },
        flushBeforeReport: (this.#mode & 2) !== 0,
        peer: this.#isApache ? 'apache' : 'tandemmq',
      },
      { net, clock: this.#clock, random, logger: silentLogger, meter: silentMeter },
      this.#log,
    )
    await this.#clock.settle()
  }

  async step(script: ByteScript): Promise<void> {
    switch (script.below(16)) {
      case 0:
      case 1:
        return this.#sayHello(script)
      case 2:
      case 3:
      case 4:
        return this.#sayAnswer(script)
      case 5:
      case 6:
      case 7:
        return this.#sayFrame(script)
      case 8:
        return this.#say(encodeFrameHeader(scriptedOffset(script, this.#log.end), 0))
      case 9: {
        const control = scriptedControl(script, this.#log.end)
        if (Object.keys(control).length === 0) return
        return this.#say(encodeControlDown(control, scriptedOffset(script, this.#log.end)))
      }
      case 10:
        return this.#say(script.take(script.byte()))
      case 11:
        return this.#clock.advance(script.byte() * (1 + script.below(40)))
      case 12:
        this.#connection.hangUp()
        return this.#clock.advance(1000)
      case 13:
        this.#log.isFull = script.below(3) === 0
        return
      case 14:
        this.#isRefusing = script.below(3) === 0
        return
      default:
        this.#chunk = script.byte()
    }
  }

  check(): void {
    if (this.#complaint !== undefined) throw this.#complaint
    if (this.#log.misuse !== undefined) throw this.#log.misuse
    claim(this.#log.flushed <= this.#log.end, 'no more is on disk than there is')
    const epochs = this.#log.lineage?.epochs.length ?? 0
    claim(epochs <= EPOCHS_MAX, `an ancestry of ${epochs} epochs`)
    claim(this.#connection.heldBytes <= 1024 * 1024, 'what waits is bounded')
    if (this.#slave?.state.kind === 'streaming') this.#hasStreamed = true
  }

  async end(): Promise<Verdict> {
    this.#isRefusing = true
    this.#log.isFull = false
    this.#connection.hangUp()
    await this.#clock.advance(1_000)
    const dials = this.#dials
    await this.#clock.advance(30_000)
    this.check()
    claim(this.#dials > dials, `it tries again, whatever happened: ${this.#slave?.state.kind}`)
    claim(this.#dials - dials < 1000, 'it does not hammer a dead master')
    this.#slave?.close()
    await this.#clock.settle()
    return this.#hasStreamed ? 'taken' : 'refused'
  }

  async #dialled(): Promise<Connection> {
    this.#dials += 1
    if (this.#isRefusing) throw new Error('connection refused')
    this.#connection = new ScriptedConnection('m:1')
    this.#connection.onWrite = (bytes) => this.#overhear(bytes)
    return this.#connection
  }

  /** A report is a write of its own, and never negative. */
  #overhear(bytes: Buffer): void {
    if (bytes.length !== REPORT_BYTES) return
    const position = readInt64(bytes, 0)
    const { flushed, end, segmentBytes } = this.#log
    const isOnDisk = (this.#mode & 2) !== 0
    // Of an empty log, where it was told to begin.
    const isAnnounced = position % segmentBytes === 0 && end === 0
    if (position < 0 || position <= (isOnDisk ? flushed : end) || isAnnounced) return
    this.#complaint ??= new Error(`a report of ${position}: on disk is ${flushed}, the log ends at ${end}`)
  }

  async #sayHello(script: ByteScript): Promise<void> {
    const end = scriptedOffset(script, this.#log.end)
    const hasCompare = script.below(3) === 0
    const to = Math.max(1, scriptedOffset(script, this.#log.end))
    const compare = hasCompare ? { compare: { from: Math.min(to - 1, script.short()), to } } : {}
    const hello = scriptedHello(script, 'master', { end, ...compare })
    return this.#say(encodeHandshake('master-hello', encodeHello(hello)))
  }

  async #sayAnswer(script: ByteScript): Promise<void> {
    const refusal = { reason: 'not-ready', words: 'later' }
    const lineage = scriptedLineage(script, this.#log.lineage) ?? sharedLineage()
    const at = script.below(2) === 0 ? this.#log.end : scriptedOffset(script, this.#log.end)
    const flags = script.byte()
    const answers: readonly Answer[] = [
      { kind: 'accept', at, lineage, flushRequired: (flags & 1) !== 0, counted: (flags & 2) !== 0 },
      { kind: 'accept', at, lineage, flushRequired: false, counted: true },
      { kind: 'truncate', at, lineage },
      { kind: 'start-over', at, lineage },
      { kind: 'wait', refusal },
      { kind: 'refuse', refusal },
    ]
    const answer = answers[script.below(answers.length)] ?? { kind: 'wait', refusal }
    return this.#say(encodeHandshake('answer', encodeAnswer(answer)))
  }

  async #sayFrame(script: ByteScript): Promise<void> {
    const before = this.#log.end
    const mayAppend = this.#slave?.state.kind === 'streaming'
    const at = script.below(4) < 3 ? this.#log.end : scriptedOffset(script, this.#log.end)
    const size = [script.short(), 65_536 - (at % 65_536), 65_536, 1, 0][script.below(5)] ?? 0
    // Less, or more, than announced.
    const body = Buffer.alloc(Math.max(0, size + ([0, 0, 0, -1, 5][script.below(5)] ?? 0)), 0x5a)
    if (this.#log.end - this.#log.minOffset > 1024 * 1024) return
    await this.#say(Buffer.concat([encodeFrameHeader(at, size), body]))
    claim(mayAppend || this.#log.end === before || this.#isApache, 'only a stream appends')
  }

  async #say(bytes: Buffer): Promise<void> {
    const size = this.#chunk % 8 === 0 ? bytes.length : this.#chunk
    for (let at = 0; at < bytes.length; at += size) this.#connection.say(bytes.subarray(at, at + size))
    await this.#clock.settle()
  }
}

/** What fits into one message, and what a slave may keep below it. */
const EPOCHS_MAX = 1024 * CUTS_MAX
