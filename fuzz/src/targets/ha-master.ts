import { crc32 } from 'node:zlib'
import { silentLogger, silentMeter, type Connection } from '@tandemmq/base'
import {
  encodeControlUp,
  encodeHandshake,
  encodeHello,
  encodeProof,
  encodeReport,
  type Proof,
} from '@tandemmq/codec'
import { HaMaster } from '@tandemmq/ha-protocol'
import { SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import { ByteScript } from '../engine/byte-script.ts'
import { claim } from '../engine/claim.ts'
import { HandshakeCapture } from '../hostile-peers/handshake-capture.ts'
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
/** What a master may have queued for a slave that does not read: a frame, the frame that filled the buffer, control frames. */
const QUEUED_BYTES_MAX = 2.5 * 1024 * 1024

/** A master's HA port as a whole; the input is a script of what slaves and strangers do to it. */
export const haMaster: Target = {
  name: 'ha-master',
  holds:
    'no invariant breaks; nobody is counted or sent log bytes without a proof; positions stay within the log; replicated never goes back; a peer that does not read costs a bounded amount',
  allocation: { baseBytes: 64 * 1024 * 1024, perInputByte: 256 * 1024 },
  isCostly: true,
  async run(input) {
    const script = new ByteScript(input)
    const stage = await MasterStage.open(script.byte())
    for (let count = 0; count < STEPS_MAX && !script.atEnd; count += 1) {
      await stage.step(script)
      stage.check()
    }
    return stage.end()
  },
}

interface Peer {
  readonly connection: ScriptedConnection
  readonly capture: HandshakeCapture
}

class MasterStage {
  readonly #clock = new SimulatedClock()
  readonly #log: PlainLog
  readonly #hasSecret: boolean
  readonly #peers: Peer[] = []
  #accept: (connection: Connection) => void = () => {}
  #master: HaMaster | undefined
  #current = 0
  #chunk = 0
  #replicated = 0
  #accepted = 0

  private constructor(mode: number) {
    // An operator who serves slaves that say no hello has decided to ask for no proof.
    this.#hasSecret = (mode & 5) === 1
    this.#log = new PlainLog((mode & 8) === 0 ? sharedLineage() : undefined, Buffer.alloc(700, 0x5a))
  }

  static async open(mode: number): Promise<MasterStage> {
    const stage = new MasterStage(mode)
    const net = {
      async listen(address: { host: string; port: number }, accept: (connection: Connection) => void) {
        stage.#accept = accept
        return { address, close: async () => {} }
      },
      async connect(): Promise<never> {
        throw new Error('a master connects to nobody')
      },
    }
    const random = new SeededRandom(mode)
    stage.#master = await HaMaster.listen(
      {
        cluster: 'c',
        set: 's',
        identity: 'master-0',
        instanceId: 'i',
        ...(stage.#hasSecret ? { secret: SECRET } : {}),
        address: { host: 'm', port: 1 },
        flushRequired: (mode & 2) !== 0,
        inSyncReplicas: 2,
        legacySlaves: (mode & 4) === 0 ? 'none' : (mode & 32) === 0 ? 'served' : 'counted',
        acceptLoss: (mode & 16) !== 0,
      },
      { net, clock: stage.#clock, random, logger: silentLogger, meter: silentMeter },
      stage.#log,
    )
    return stage
  }

  async step(script: ByteScript): Promise<void> {
    const op = script.below(16)
    const peer = this.#peers[this.#current % Math.max(1, this.#peers.length)] ?? this.#connect()
    switch (op) {
      case 0:
        this.#connect()
        return
      case 1:
        this.#current = script.byte()
        return
      case 2:
      case 3:
        return this.#sayHello(peer, script)
      case 4:
      case 5:
        return this.#sayProof(peer, script)
      case 6:
      case 7:
        return this.#say(peer, encodeReport(scriptedOffset(script, this.#log.end)))
      case 8:
        return this.#sayControl(peer, script)
      case 9:
        return this.#say(peer, script.take(script.byte()))
      case 10:
        return this.#clock.advance(script.byte() * (op + script.below(40)))
      case 11:
        if (this.#log.end < 1024 * 1024) this.#log.append(this.#log.end, this.#growth(script.short()))
        return
      case 12:
        this.#log.lineage = scriptedLineage(script, this.#log.lineage)
        this.#log.append(this.#log.end, Buffer.alloc(1))
        return
      case 13:
        peer.connection.isStalled = true
        if (script.below(2) === 0) peer.connection.read()
        return
      case 14:
        peer.connection.hangUp()
        return
      default:
        this.#chunk = script.byte()
        this.#master?.setConfirmed(Math.min(this.#log.end, script.short()))
    }
    return this.#clock.settle()
  }

  check(): void {
    const { end } = this.#log
    const master = this.#master
    if (master === undefined) return
    if (this.#log.misuse !== undefined) throw this.#log.misuse
    claim(master.replicated.at >= this.#replicated, 'replicated never goes back')
    claim(master.replicated.at <= end, `replicated ${master.replicated.at}, the log ends at ${end}`)
    this.#replicated = master.replicated.at
    const replicas = master.replicas()
    this.#accepted = Math.max(this.#accepted, replicas.length)
    claim(!this.#hasSecret || replicas.length === 0, 'nobody is a replica without the secret')
    claim(master.knownReplicas() <= 1 + replicas.length, 'only replicas are known')
    for (const { sent, received } of replicas) {
      claim(received <= sent && sent <= end, `received ${received}, sent ${sent}, the log ends at ${end}`)
    }
    for (const { connection } of this.#peers) {
      claim(connection.queuedBytes <= QUEUED_BYTES_MAX, `${connection.queuedBytes} bytes wait for one slave`)
    }
  }

  async end(): Promise<Verdict> {
    await this.#clock.advance(30_000)
    this.check()
    claim(
      this.#peers.every(({ connection }) => connection.isClosed),
      'a peer that says nothing more is hung up on',
    )
    await this.#master?.close()
    await this.#clock.advance(2_000)
    return this.#accepted > 0 ? 'taken' : 'refused'
  }

  #growth(bytes: number): Buffer {
    const { segmentBytes, end } = this.#log
    return Buffer.alloc(Math.min(bytes, segmentBytes - (end % segmentBytes)), 0x5a)
  }

  #connect(): Peer {
    const connection = new ScriptedConnection(`10.0.0.1:${this.#peers.length}`)
    const capture = new HandshakeCapture()
    connection.onWrite = (bytes) => {
      capture.write(bytes)
      claim(!this.#hasSecret || bytes.length < 4096, 'a stranger is told little')
    }
    const peer = { connection, capture }
    this.#peers.push(peer)
    this.#accept(connection)
    return peer
  }

  async #sayHello(peer: Peer, script: ByteScript): Promise<void> {
    const end = [0, 0, 300, 600, this.#log.end, scriptedOffset(script, this.#log.end)][script.below(6)] ?? 0
    const lineage = end === 0 ? undefined : scriptedLineage(script, this.#log.lineage)
    const hello = scriptedHello(script, 'slave', { end, ...(lineage === undefined ? {} : { lineage }) })
    return this.#say(peer, encodeHandshake('slave-hello', encodeHello(hello)))
  }

  async #sayProof(peer: Peer, script: ByteScript): Promise<void> {
    const compare = peer.capture.hello?.hello.compare
    const wrong = script.byte()
    const refusal = { reason: 'wrong-set', words: 'x'.repeat(wrong) }
    const right: Proof =
      compare === undefined
        ? {}
        : { compared: { ...compare, crc: crc32(this.#log.read(compare.from, compare.to - compare.from)) } }
    const proofs: readonly Proof[] = [
      { refusal },
      { compared: { from: 0, to: 1, crc: 0 } },
      { mac: Buffer.alloc(32) },
    ]
    return this.#say(peer, encodeHandshake('proof', encodeProof(proofs[wrong - 253] ?? right)))
  }

  async #sayControl(peer: Peer, script: ByteScript): Promise<void> {
    const control = scriptedControl(script, this.#log.end)
    if (Object.keys(control).length > 0) await this.#say(peer, encodeControlUp(control))
  }

  /** In chunks of the size that the script has set. */
  async #say({ connection }: Peer, bytes: Buffer): Promise<void> {
    const size = this.#chunk % 8 === 0 ? bytes.length : this.#chunk
    for (let at = 0; at < bytes.length; at += size) connection.say(bytes.subarray(at, at + size))
    await this.#clock.settle()
  }
}
