import type { LogOffset } from '@tandemmq/base'
import { decodeControl } from './ha-control.ts'
import type { Control } from './ha-control.ts'
import { FRAME_HEADER_BYTES, decodeFrameHeader } from './ha-frame.ts'
import { UnitBuffer } from './unit-buffer.ts'

/** What a master sends after the handshake. */
export type DownwardUnit =
  /** A data frame begins; its body follows in pieces. `size` 0 is a heartbeat: nothing follows. */
  | { readonly kind: 'frame'; readonly offset: LogOffset; readonly size: number }
  /** Log bytes at `offset`, as they came in: a frame is never collected in memory. Borrowed from the chunk. */
  | { readonly kind: 'piece'; readonly offset: LogOffset; readonly bytes: Buffer }
  | { readonly kind: 'control'; readonly next: LogOffset; readonly control: Control }

interface Body {
  readonly offset: LogOffset
  /** Bytes still to come. */
  readonly left: number
}

/** Cuts a master's stream into units; use as {@link UpwardReader}. */
export class DownwardReader {
  readonly #rest = new UnitBuffer()
  #body: Body | undefined

  feed(chunk: Buffer): void {
    this.#rest.feed(chunk)
  }

  /** Throws `PROTOCOL_VIOLATION`; the connection is then of no further use. */
  next(): DownwardUnit | undefined {
    if (this.#body !== undefined) return this.#nextPiece(this.#body)
    if (this.#rest.length < FRAME_HEADER_BYTES) return this.#keep()
    const { offset, size } = decodeFrameHeader(this.#rest.bytes, 0)
    if (size < 0) return this.#nextControl(offset, FRAME_HEADER_BYTES - size)
    this.#rest.take(FRAME_HEADER_BYTES)
    if (size > 0) this.#body = { offset, left: size }
    return { kind: 'frame', offset, size }
  }

  #nextPiece(body: Body): DownwardUnit | undefined {
    if (this.#rest.length === 0) return undefined
    const bytes = this.#rest.take(body.left)
    const left = body.left - bytes.length
    this.#body = left === 0 ? undefined : { offset: body.offset + bytes.length, left }
    return { kind: 'piece', offset: body.offset, bytes }
  }

  #nextControl(next: LogOffset, end: number): DownwardUnit | undefined {
    if (this.#rest.length < end) return this.#keep()
    const body = this.#rest.take(end).subarray(FRAME_HEADER_BYTES)
    return { kind: 'control', next, control: decodeControl(body) }
  }

  #keep(): undefined {
    this.#rest.keep()
    return undefined
  }
}
