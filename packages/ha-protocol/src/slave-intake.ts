import { invariant, messageOf } from '@tandemmq/base'
import type { Counter, LogOffset } from '@tandemmq/base'
import { overlapOf } from './overlap.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import type { SlaveEvent } from './slave-state.ts'

/** The slave whose machine decides what is done with the bytes. */
export interface IntakeOwner {
  isComparing(): boolean
  dispatch(event: SlaveEvent): void
}

/** Log bytes as they come in: held against those that we have too, and appended where ours end. */
export class SlaveIntake {
  readonly #log: ReplicatedLog
  readonly #receivedBytes: Counter
  readonly #owner: IntakeOwner
  /** The bytes that the next {@link append} is about; only lent. */
  #piece: Buffer | undefined

  constructor(log: ReplicatedLog, receivedBytes: Counter, owner: IntakeOwner) {
    this.#log = log
    this.#receivedBytes = receivedBytes
    this.#owner = owner
  }

  /** Never called from an effect: the socket gives pieces. */
  take(offset: LogOffset, bytes: Buffer): void {
    const compared = this.#compare(offset, bytes)
    if (compared === bytes.length) return
    this.#piece = bytes.subarray(compared)
    this.#owner.dispatch({ kind: 'piece', offset: offset + compared, size: this.#piece.length })
    this.#piece = undefined
  }

  /** The machine wants the piece in hand appended. */
  append(offset: LogOffset): void {
    const bytes = this.#piece
    invariant(bytes !== undefined, 'an append is about the piece in hand')
    try {
      this.#log.append(offset, bytes)
      this.#receivedBytes.add(bytes.length)
    } catch (error) {
      this.#owner.dispatch({ kind: 'append-failed', words: messageOf(error) })
    }
  }

  /** Says of bytes that we have too whether they are the same; returns how many those were. */
  #compare(offset: LogOffset, bytes: Buffer): number {
    let compared = 0
    while (compared < bytes.length && this.#owner.isComparing()) {
      const overlap = overlapOf(this.#log, offset + compared, bytes.subarray(compared))
      this.#owner.dispatch({ kind: 'overlap', ...overlap })
      compared += overlap.size
    }
    return compared
  }
}
