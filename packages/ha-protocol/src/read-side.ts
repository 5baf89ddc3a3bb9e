import { BrokerError } from '@tandemmq/base'
import {
  DownwardReader,
  HandshakeReader,
  UpwardReader,
  decodeHello,
  decodeProof,
  startsHello,
} from '@tandemmq/codec'
import type { HandshakeMessage, ReceivedHello } from '@tandemmq/codec'
import type { MasterEvent } from './master-state.ts'
import { TLS_FIRST_BYTE } from './one-sided-tls.ts'

/** What a slave has said. */
export type Heard =
  | { readonly kind: 'hello'; readonly received: ReceivedHello }
  | Extract<MasterEvent, { kind: 'client-hello' | 'proof' | 'report' | 'control' | 'frame' | 'violation' }>
  /** Borrowed log bytes; only lent. */
  | { readonly kind: 'piece'; readonly offset: number; readonly bytes: Buffer }

/**
 * The receiving half of a master's connection: turns bytes into events. What a stranger can make it hold is one
 * handshake message.
 */
export class ReadSide {
  readonly #emit: (event: Heard) => void
  readonly #upward = new UpwardReader()
  readonly #lent = new DownwardReader()
  #phase: 'first-byte' | 'hello' | 'proof' | 'answer-pending' | 'stream' | 'borrow' | 'over' = 'first-byte'
  #handshake = new HandshakeReader()

  constructor(emit: (event: Heard) => void) {
    this.#emit = emit
  }

  /** The handshake is over: reports follow. */
  startStream(): void {
    if (this.#phase !== 'over') this.#phase = 'stream'
  }

  /** The slave lends: frames follow, as a master sends them. */
  startBorrowing(): void {
    if (this.#phase !== 'over') this.#phase = 'borrow'
  }

  stop(): void {
    this.#phase = 'over'
  }

  push(chunk: Buffer): void {
    try {
      this.#push(chunk)
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      this.#emit({ kind: 'violation', words: error.message })
    }
  }

  #push(chunk: Buffer): void {
    switch (this.#phase) {
      case 'first-byte':
        if (chunk[0] === TLS_FIRST_BYTE) return this.#emit({ kind: 'client-hello' })
        this.#phase = startsHello(chunk[0] ?? 0) ? 'hello' : 'stream'
        return this.#push(chunk)
      case 'hello':
      case 'proof':
        return this.#pushHandshake(chunk)
      case 'answer-pending':
        throw new BrokerError('PROTOCOL_VIOLATION', 'the slave does not wait for an answer')
      case 'stream':
        this.#upward.feed(chunk)
        return this.#takeUnits(this.#upward)
      case 'borrow':
        this.#lent.feed(chunk)
        return this.#takeUnits(this.#lent)
      case 'over':
    }
  }

  #pushHandshake(chunk: Buffer): void {
    const taken = this.#handshake.push(chunk)
    if (taken === undefined) return
    if (taken.rest.length > 0) {
      throw new BrokerError('PROTOCOL_VIOLATION', 'the slave goes on before it was answered')
    }
    this.#takeMessage(taken.message)
  }

  #takeMessage({ kind, body }: HandshakeMessage): void {
    this.#handshake = new HandshakeReader()
    if (this.#phase === 'hello' && kind === 'slave-hello') {
      this.#phase = 'proof'
      this.#emit({ kind: 'hello', received: decodeHello(body) })
    } else if (this.#phase === 'proof' && kind === 'proof') {
      this.#phase = 'answer-pending'
      this.#emit({ kind: 'proof', proof: decodeProof(body) })
    } else {
      throw new BrokerError('PROTOCOL_VIOLATION', `a ${kind} where none is expected`)
    }
  }

  #takeUnits(reader: { next(): Heard | undefined }): void {
    const phase = this.#phase
    for (let unit = reader.next(); unit !== undefined; unit = reader.next()) {
      this.#emit(unit)
      if (this.#phase !== phase) return
    }
  }
}
