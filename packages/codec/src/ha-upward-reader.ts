import { BrokerError } from '@tandemmq/base'
import type { LogOffset } from '@tandemmq/base'
import { decodeControl } from './ha-control.ts'
import type { Control } from './ha-control.ts'
import { CONTROL_BYTES_MAX, REPORT_BYTES } from './ha-frame.ts'
import { isOffset, readInt64 } from './int64.ts'
import { UnitBuffer } from './unit-buffer.ts'

/** What a slave sends after the handshake. */
export type UpwardUnit =
  | { readonly kind: 'report'; readonly position: LogOffset }
  | { readonly kind: 'control'; readonly control: Control }

/**
 * Cuts a slave's stream into units. Feed a chunk, then take units until there is none: the consumer may stop between
 * two, for instance because the first one ended the connection. Holds at most one control frame.
 */
export class UpwardReader {
  readonly #rest = new UnitBuffer()

  feed(chunk: Buffer): void {
    this.#rest.feed(chunk)
  }

  /** Whether part of a unit has arrived. */
  get isInUnit(): boolean {
    return this.#rest.length > 0
  }

  /** Throws `PROTOCOL_VIOLATION`; the connection is then of no further use. */
  next(): UpwardUnit | undefined {
    if (this.#rest.length < REPORT_BYTES) return this.#keep()
    const position = readInt64(this.#rest.bytes, 0)
    if (position >= 0) {
      if (!isOffset(position))
        throw violation(
          `a report of 0x${this.#rest.bytes.toString('hex', 0, REPORT_BYTES)}, which is no log offset`,
        )
      this.#rest.take(REPORT_BYTES)
      return { kind: 'report', position }
    }
    if (position < -CONTROL_BYTES_MAX) throw violation(`a control frame of ${-position} bytes`)
    const end = REPORT_BYTES - position
    if (this.#rest.length < end) return this.#keep()
    const body = this.#rest.take(end).subarray(REPORT_BYTES)
    return { kind: 'control', control: decodeControl(body) }
  }

  #keep(): undefined {
    this.#rest.keep()
    return undefined
  }
}

function violation(message: string): BrokerError {
  return new BrokerError('PROTOCOL_VIOLATION', message)
}
