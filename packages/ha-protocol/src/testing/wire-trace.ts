import { unreachable } from '@tandemmq/base'
import {
  DownwardReader,
  HandshakeReader,
  UpwardReader,
  decodeAnswer,
  decodeHello,
  decodeProof,
} from '@tandemmq/codec'
import type { Answer, Control, DownwardUnit, HandshakeMessage, Lineage, UpwardUnit } from '@tandemmq/codec'
import type { Direction, Passage, Tap } from './tapped-net.ts'

type Phase = 'handshake' | 'reports' | 'frames'

/** Tells in words what passes a slave's connections, one line for each message, report and frame. Changes nothing, except where it is told to. */
export class WireTrace implements Tap {
  /** Taken for the next report; the slave knows nothing of it. */
  forgedReport: Buffer | undefined
  readonly #say: (line: string) => void
  #connection = 0
  #up: { phase: Phase; handshake: HandshakeReader; reports: UpwardReader; frames: DownwardReader } = fresh()
  #down: { phase: Phase; handshake: HandshakeReader; reports: UpwardReader; frames: DownwardReader } = fresh()

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  pass(direction: Direction, bytes: Buffer, connection: number): Passage {
    if (connection !== this.#connection) {
      this.#connection = connection
      this.#up = fresh()
      this.#down = fresh()
    }
    const isReport = direction === 'up' && this.#up.phase === 'reports' && bytes.length === 8
    const passed = (isReport ? this.forgedReport : undefined) ?? bytes
    if (isReport) this.forgedReport = undefined
    this.#tell(direction, Buffer.from(passed))
    return { pieces: [passed] }
  }

  closed(): void {
    this.#say('-- the connection is closed')
  }

  #tell(direction: Direction, bytes: Buffer): void {
    const side = direction === 'up' ? this.#up : this.#down
    const arrow = direction === 'up' ? '>' : '<'
    if (side.phase === 'handshake') {
      const taken = side.handshake.push(bytes)
      if (taken === undefined) return
      side.handshake = new HandshakeReader()
      this.#say(`${arrow} ${this.#message(taken.message)}`)
      if (taken.rest.length > 0) this.#tell(direction, taken.rest)
      return
    }
    const reader = side.phase === 'reports' ? side.reports : side.frames
    reader.feed(bytes)
    for (let unit = reader.next(); unit !== undefined; unit = reader.next()) {
      const words = unitInWords(unit)
      if (words !== undefined) this.#say(`${arrow} ${words}`)
    }
  }

  #message({ kind, body }: HandshakeMessage): string {
    if (kind === 'slave-hello' || kind === 'master-hello') {
      const { hello } = decodeHello(body)
      const { begin, end, compare, lineage, identity } = hello
      const compared = compare === undefined ? '' : `, compare ${compare.from}..${compare.to}`
      return `hello of ${identity}: holds ${begin}..${end}${epochs(lineage)}${compared}`
    }
    if (kind === 'proof') {
      this.#up.phase = 'reports'
      const { compared, refusal } = decodeProof(body)
      if (refusal !== undefined) return `proof: goes away, ${refusal.reason}`
      return compared === undefined ? 'proof' : `proof, and the checksum of ${compared.from}..${compared.to}`
    }
    const answer = decodeAnswer(body)
    this.#down.phase = 'frames'
    if (answer.kind === 'lend') this.#up.phase = 'frames'
    return `answer: ${answerInWords(answer)}`
  }
}

function fresh() {
  return {
    phase: 'handshake' as Phase,
    handshake: new HandshakeReader(),
    reports: new UpwardReader(),
    frames: new DownwardReader(),
  }
}

function answerInWords(answer: Answer): string {
  switch (answer.kind) {
    case 'accept': {
      const flush = answer.flushRequired ? ', report what is on disk' : ''
      return `go on at ${answer.at}${epochs(answer.lineage)}${flush}${answer.counted ? '' : ', not counted'}`
    }
    case 'truncate':
      return `cut your log to ${answer.at}${epochs(answer.lineage)}`
    case 'start-over':
      return `start over at ${answer.at}${epochs(answer.lineage)}`
    case 'lend':
      return `lend me your log from ${answer.at} on`
    case 'wait':
    case 'refuse':
      return `${answer.kind === 'wait' ? 'wait' : 'refused'}, ${answer.refusal.reason}`
    default:
      return unreachable(answer)
  }
}

function unitInWords(unit: UpwardUnit | DownwardUnit): string | undefined {
  switch (unit.kind) {
    case 'report':
      return `report ${unit.position}`
    case 'frame':
      return unit.size === 0
        ? `heartbeat, next is ${unit.offset}`
        : `bytes ${unit.offset}..${unit.offset + unit.size}`
    case 'control':
      return controlInWords(unit.control)
    case 'piece':
      return undefined
    default:
      return unreachable(unit)
  }
}

function controlInWords(control: Control): string {
  return `says: ${Object.entries(control)
    .map(([name, value]) => `${name} ${valueInWords(value)}`)
    .join(', ')}`
}

function valueInWords(value: unknown): string {
  if (Array.isArray(value)) return value.join(' ') || 'empty'
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.values(value).join('..')
}

function epochs(lineage: Lineage | undefined): string {
  if (lineage === undefined) return ', no epochs'
  return `, epochs ${lineage.epochs.map(({ epoch, start }) => `${epoch}@${start}`).join(' ')}`
}
